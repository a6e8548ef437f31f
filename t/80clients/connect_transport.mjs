// connect_transport.mjs -- the Connect protocol of @connectrpc/connect-node and
// @connectrpc/connect-web: JSON and binary, HTTP/1.1 and HTTP/2, also gzipped.
import { readFileSync } from 'node:fs';
import * as node from '@connectrpc/connect-node';
import * as web from '@connectrpc/connect-web';
import { AuthService } from '@zitadel/proto/zitadel/auth_pb.js';
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js';
import { UserService } from '@zitadel/proto/zitadel/user/v2/user_service_pb.js';

import { connectClient, stubs } from './lib/connect.mjs';
import { play } from './lib/scenario.mjs';
import { h2c, setup, tls } from './lib/setup.mjs';
import { done, is } from './lib/tap.mjs';
import { playUserService } from './lib/user_service.mjs';

const ca = readFileSync(setup.certificate);

// The management calls and then the others, by a transport of CREATE.
async function playAll(name, create, { baseUrl = h2c, httpVersion, ...more }) {
    const options = { baseUrl, httpVersion, ...more };
    if (httpVersion === '2')
        options.sessionManager =
            new node.Http2SessionManager(baseUrl, {}, { ca });
    const stub = stubs(create, options);
    await play({
        ...connectClient(name, (token) => stub(ManagementService, token)),
        onHttp1: httpVersion !== '2',
    });
    await playUserService({
        name,
        user: (token) => stub(UserService, token),
        self: (token) => stub(AuthService, token),
        close: () => options.sessionManager?.abort(),
    });
}

const json = { useBinaryFormat: false };
const gzip = { sendCompression: node.compressionGzip, compressMinBytes: 0 };

await playAll('connect-node, binary over HTTP/1.1',
    node.createConnectTransport, { httpVersion: '1.1' });
await playAll('connect-node, JSON over h2c',
    node.createConnectTransport, { httpVersion: '2', ...json });
await playAll('connect-node, gzipped JSON over HTTP/1.1',
    node.createConnectTransport, { httpVersion: '1.1', ...json, ...gzip });
await playAll('connect-node, gzipped binary over TLS',
    node.createConnectTransport, { baseUrl: tls, httpVersion: '2', ...gzip });
await playAll('connect-web, JSON',
    web.createConnectTransport, json);
await playAll('connect-web, binary',
    web.createConnectTransport, { useBinaryFormat: true });

const brotli = stubs(node.createConnectTransport, {
    baseUrl: h2c, httpVersion: '1.1', compressMinBytes: 0,
    sendCompression: node.compressionBrotli,
})(UserService, setup.token);
is(await brotli.getUserByID({ userId: setup.user }).catch(({ code }) => code),
    12, 'brotli is unimplemented');
done();
