// zitadel_client_v2.mjs -- the v2 user service and one's own profile of
// @zitadel/client, on its transport for servers (gRPC over h2c and TLS) and on
// the one for browsers (gRPC-Web).
import { readFileSync } from 'node:fs';
import {
    createGrpcTransport, Http2SessionManager,
} from '@connectrpc/connect-node';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { createServerTransport } from '@zitadel/client/node';
import { createAuthServiceClient } from '@zitadel/client/v1';
import { createUserServiceClient } from '@zitadel/client/v2';
import { createClientTransport } from '@zitadel/client/web';

import { h2c, setup, tls } from './lib/setup.mjs';
import { done } from './lib/tap.mjs';
import { playUserService } from './lib/user_service.mjs';

const ca = readFileSync(setup.certificate);

// WITH_TOKEN makes a transport of @zitadel/client, WITHOUT one that bears none.
function client(name, withToken, without, options) {
    const transport = (token) =>
        (token ? withToken(token, options) : without(options));
    return {
        name: `@zitadel/client, ${name}`,
        user: (token) => createUserServiceClient(transport(token)),
        self: (token) => createAuthServiceClient(transport(token)),
        close: () => options.sessionManager?.abort(),
    };
}

for (const [name, baseUrl] of [['h2c', h2c], ['TLS', tls]]) {
    const sessionManager = new Http2SessionManager(baseUrl, {}, { ca });
    await playUserService(client(`gRPC over ${name}`, createServerTransport,
        createGrpcTransport, { baseUrl, sessionManager }));
}
await playUserService(client('gRPC-Web', createClientTransport,
    createGrpcWebTransport, { baseUrl: h2c }));
done();
