// h2.mjs -- an HTTP/2 client for Grpc.pm: a request as a line of JSON comes
// in, its answer as a line of JSON goes out. One connection for each origin.
import { connect, constants } from 'node:http2';
import { createInterface } from 'node:readline';

const PATIENCE = 30000; // milliseconds
const sessions = new Map();

function session(origin) {
    let found = sessions.get(origin);
    if (!found || found.closed || found.destroyed) {
        found = connect(origin, { rejectUnauthorized: false });
        found.on('error', () => {});
        sessions.set(origin, found);
    }
    return found;
}

// Send {origin, headers, body (base64)}; resolves to {headers, trailers, body,
// alone: whether the first HEADERS frame ended the stream}, or {failed}.
function call({ origin, headers, body }) {
    return new Promise((resolve) => {
        const stream = session(origin).request(headers, { endStream: false });
        const answer = { headers: {}, trailers: {}, alone: false };
        const chunks = [];

        stream.setTimeout(PATIENCE, () => stream.destroy(new Error('silence')));
        stream.on('response', (fields, flags) => {
            answer.headers = fields;
            answer.alone = !!(flags & constants.NGHTTP2_FLAG_END_STREAM);
        });
        stream.on('trailers', (fields) => (answer.trailers = fields));
        stream.on('data', (chunk) => chunks.push(chunk));
        stream.on('error', (error) => (answer.failed = error.message));
        stream.on('close', () => {
            answer.body = Buffer.concat(chunks).toString('base64');
            resolve(answer);
        });
        stream.end(Buffer.from(body, 'base64'));
    });
}

for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(JSON.stringify(await call(JSON.parse(line))) + '\n');
for (const open of sessions.values())
    open.close();
