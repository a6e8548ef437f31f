// connect.mjs -- @connectrpc/connect-node, gRPC over h2c and TLS and gRPC-Web
// over HTTP/1.1 and HTTP/2, and @connectrpc/connect-web.
import { readFileSync } from 'node:fs';
import * as node from '@connectrpc/connect-node';
import * as web from '@connectrpc/connect-web';
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js';

import { connectClient, stubs } from './lib/connect.mjs';
import { play } from './lib/scenario.mjs';
import { h2c, setup, tls } from './lib/setup.mjs';
import { done } from './lib/tap.mjs';

const ca = readFileSync(setup.certificate);

// Stubs over transports that CREATE makes with OPTIONS.
function maker(create, options) {
    const stub = stubs(create, options);
    return (token) => stub(ManagementService, token);
}

// One connection for each client, which ends with it.
async function playOne(name, baseUrl, create) {
    const sessionManager =
        new node.Http2SessionManager(baseUrl, {}, { ca });
    await play(connectClient(name,
        maker(create, { baseUrl, sessionManager, httpVersion: '2' }),
        () => sessionManager.abort()));
}

await playOne('connect-node, gRPC over h2c', h2c, node.createGrpcTransport);
await playOne('connect-node, gRPC over TLS', tls, node.createGrpcTransport);
await playOne('connect-node, gRPC-Web over h2c', h2c,
    node.createGrpcWebTransport);
for (const [name, create] of [
    ['connect-node', node.createGrpcWebTransport],
    ['connect-web', web.createGrpcWebTransport],
])
    await play({
        ...connectClient(`${name}, gRPC-Web over HTTP/1.1`,
            maker(create, { baseUrl: h2c, httpVersion: '1.1' })),
        onHttp1: true,
    });
done();
