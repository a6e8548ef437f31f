// zitadel_client.mjs -- @zitadel/client with @zitadel/proto, over h2c and TLS.
import { readFileSync } from 'node:fs';
import {
    createGrpcTransport, Http2SessionManager,
} from '@connectrpc/connect-node';
import { createServerTransport } from '@zitadel/client/node';
import { createManagementServiceClient } from '@zitadel/client/v1';

import { connectClient } from './lib/connect.mjs';
import { play } from './lib/scenario.mjs';
import { h2c, setup, tls } from './lib/setup.mjs';
import { done } from './lib/tap.mjs';

const ca = readFileSync(setup.certificate);

for (const [name, baseUrl] of [['h2c', h2c], ['TLS', tls]]) {
    const sessionManager = new Http2SessionManager(baseUrl, {}, { ca });
    const options = { baseUrl, sessionManager };

    await play(connectClient(`@zitadel/client over ${name}`,
        (token) => createManagementServiceClient(token
            ? createServerTransport(token, options)
            : createGrpcTransport(options)),
        () => sessionManager.abort()));
}
done();
