// grpc_js.mjs -- @grpc/grpc-js, over h2c and TLS, with the .proto files that we
// install.
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

import { decodeStatus } from './lib/details.mjs';
import { play } from './lib/scenario.mjs';
import { setup } from './lib/setup.mjs';
import { done, is } from './lib/tap.mjs';

const definition = loader.loadSync(
    ['zitadel/management.proto', 'zitadel/user/v2/user_service.proto'],
    { includeDirs: [setup.protos], longs: String, enums: String });
const { management, user } = grpc.loadPackageDefinition(definition).zitadel;

function client(name, address, credentials) {
    const stub = new management.v1.ManagementService(address, credentials);

    // START begins a call, given metadata, options and a callback.
    const call = (start, { token, headers = {}, timeout, signal }) =>
        new Promise((resolve, reject) => {
            const metadata = new grpc.Metadata();
            if (token)
                metadata.set('authorization', `Bearer ${token}`);
            for (const [key, value] of Object.entries(headers))
                metadata.set(key, value);
            const options = timeout ? { deadline: Date.now() + timeout } : {};
            const going = start(metadata, options,
                (error, reply) => (error ? reject(error) : resolve(reply)));
            signal?.addEventListener('abort', () => going.cancel());
        });
    return {
        name,
        get: (request, options) =>
            call((...rest) => stub.getHumanProfile(request, ...rest), options),
        update: (request, options) =>
            call((...rest) => stub.updateHumanProfile(request, ...rest),
                options),
        unknown: (options) =>
            call((...rest) => stub.makeUnaryRequest(
                '/zitadel.management.v1.ManagementService/GetMyOrg',
                () => Buffer.alloc(0), (bytes) => bytes, {}, ...rest), options),
        failure: (error) => {
            const [bytes] = error.metadata.get('grpc-status-details-bin');
            return {
                code: error.code,
                message: error.details,
                details: bytes ? decodeStatus(bytes).details : [],
            };
        },
        close: () => stub.close(),
    };
}

await play(client('grpc-js over h2c', `127.0.0.1:${setup.port}`,
    grpc.credentials.createInsecure()));
await play(client('grpc-js over TLS', `localhost:${setup.tls_port}`,
    grpc.credentials.createSsl(readFileSync(setup.certificate))));

const users = new user.v2.UserService(`127.0.0.1:${setup.port}`,
    grpc.credentials.createInsecure());
const call = (method, request) => new Promise((resolve, reject) => {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${setup.token}`);
    users[method](request, metadata,
        (error, reply) => (error ? reject(error) : resolve(reply)));
});
await call('UpdateHumanUser', {
    userId: setup.user,
    profile: { givenName: 'Ada', familyName: 'L', nickName: '' },
});
const { changeDate } = await call('UpdateUser', {
    userId: setup.user, human: { profile: { displayName: 'Countess' } },
});
const read = await call('GetUserByID', { userId: setup.user });
is(read.user.human.profile, {
    givenName: 'Ada', familyName: 'L', nickName: '', displayName: 'Countess',
    preferredLanguage: 'und', gender: 'GENDER_UNSPECIFIED',
}, 'grpc-js: the v2 user service changes what is named and keeps the rest');
is(read.details.changeDate, changeDate, 'GetUserByID has the same date');
users.close();
done();
