// zitadel_node.mjs -- @zitadel/node, over h2c and TLS.
import {
    createAccessTokenInterceptor, createAuthClient, createManagementClient,
} from '@zitadel/node/dist/api/index.js';
import { Metadata } from 'nice-grpc-common';

import { decodeStatus } from './lib/details.mjs';
import { play } from './lib/scenario.mjs';
import { h2c, setup, tls } from './lib/setup.mjs';
import { done, is } from './lib/tap.mjs';

// A stub for each token.
function client(name, address) {
    const stubs = new Map();
    const stub = ({ token }) => {
        if (!stubs.has(token))
            stubs.set(token, createManagementClient(address,
                ...(token ? [createAccessTokenInterceptor(token)] : [])));
        return stubs.get(token);
    };

    // It has no deadline of its own: the time is told to the server alone. Its
    // errors do not have the trailers with the details.
    const options = ({ headers = {}, timeout, signal }, caught) => ({
        metadata: Metadata({
            ...(timeout ? { 'grpc-timeout': `${timeout}m` } : {}),
            ...headers,
        }),
        signal,
        onTrailer: (trailer) => { caught.trailer = trailer; },
    });
    const call = async (method, request, more) => {
        const caught = {};
        try {
            return await stub(more)[method](request, options(more, caught));
        } catch (error) {
            throw Object.assign(error, caught);
        }
    };
    return {
        name,
        get: (request, more) => call('getHumanProfile', request, more),
        update: (request, more) => call('updateHumanProfile', request, more),
        unknown: (more) => call('getMyOrg', {}, more),
        failure: (error) => {
            const bytes = error.trailer?.get('grpc-status-details-bin');
            return {
                code: error.name === 'AbortError' ? 1 : error.code,
                message: error.details,
                details: bytes ? decodeStatus(bytes).details : [],
            };
        },
        close: () => {},
    };
}

await play(client('@zitadel/node over h2c', h2c));
await play(client('@zitadel/node over TLS', tls));

const auth = createAuthClient(h2c,
    createAccessTokenInterceptor(setup.self.token));
const { details } = await auth.updateMyProfile({
    firstName: 'Ada', lastName: 'L', displayName: 'Ada L',
    preferredLanguage: 'en', gender: 1,
});
const mine = await auth.getMyProfile({});
is([mine.details, mine.profile.firstName, mine.profile.gender],
    [details, 'Ada', 1],
    '@zitadel/node: a user changes its own profile and reads it');
is(await auth.updateMyProfile({ lastName: 'L' }).catch(({ code }) => code), 3,
    'a profile without a first name is refused');
done();
process.exit(); // its channels cannot be closed
