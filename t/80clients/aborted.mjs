// aborted.mjs -- clients that leave in the middle of a request: Node's own, for
// the published ones send a small body at once.
import { request } from 'node:http';
import { connect, constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';

import { h2c, setup } from './lib/setup.mjs';
import { done, is } from './lib/tap.mjs';

const TIMES = 20;
const path = (method) => `/zitadel.user.v2.UserService/${method}`;

const headers = {
    'authorization': `Bearer ${setup.token}`,
    'content-type': 'application/json',
};
const update = (nickName) => JSON.stringify(
    { userId: setup.user, human: { profile: { nickName } } });

// Send BODY, which LENGTH says is longer, and leave; resolves to how it ended,
// for the client.
const overHttp1 = (body, length) => new Promise((resolve) => {
    const call = request(h2c + path('UpdateUser'), {
        method: 'POST',
        headers: { ...headers, ...(length && { 'content-length': length }) },
    });
    call.on('error', ({ code }) => resolve(code));
    call.on('response', ({ statusCode }) => resolve(statusCode));
    call.write(body);
    setTimeout(() => call.destroy(), 50);
});

// Node ends the body of a stream that it resets: without LENGTH, a complete one
// is a request like any other.
const overHttp2 = (body, length, type) => new Promise((resolve) => {
    const session = connect(h2c);
    session.on('error', () => {}); // mod_http2 may end it with the stream
    const stream = session.request({
        ...headers, ':method': 'POST', ':path': path('UpdateUser'),
        'content-type': type || headers['content-type'],
        ...(length && { 'content-length': length }),
    });
    stream.on('response', (fields) => resolve(fields[':status']));
    stream.on('error', () => {});
    stream.on('close', () => {
        resolve('ECONNRESET');
        session.close();
    });
    stream.write(body);
    setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 50);
});

async function read() {
    const response = await fetch(h2c + path('GetUserByID'), {
        method: 'POST', headers, body: JSON.stringify({ userId: setup.user }),
    });
    return response.json();
}

const body = update('aborted');
const half = body.slice(0, body.length / 2);
for (const [what, abort] of [
    ['half a body over HTTP/1.1', () => overHttp1(half, body.length)],
    ['a body in chunks without the last', () => overHttp1(body)],
    ['all but one byte over HTTP/1.1', () => overHttp1(body, body.length + 1)],
    ['half a body over HTTP/2', () => overHttp2(half)],
    ['all but one byte over HTTP/2', () => overHttp2(body, body.length + 1)],
    ['half a gRPC message',
        () => overHttp2(half, undefined, 'application/grpc')],
]) {
    const before = await read();
    const ends = await Promise.all(Array.from({ length: TIMES }, abort));
    is([...new Set(ends)], ['ECONNRESET'],
        `${what}: the server waits for the rest`);
    await sleep(200);
    is(await read(), before, 'nothing is changed when the client leaves');
}
done();
