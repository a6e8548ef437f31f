// calls.js -- what a page does: calls of each kind, by fetch and by published
// clients. Each resolves to what the page learns, as plain data.
import { ConnectError, createClient } from '@connectrpc/connect';
import * as web from '@connectrpc/connect-web';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js';
import grpcWeb from 'grpc-web';

const names = { firstName: 'Ada', lastName: 'L', displayName: 'Ada L' };

// A fetch: status, and what the page can read of headers and body.
async function ask(url, { method = 'GET', token, headers = {}, body, ...more }) {
    try {
        const answer = await fetch(url, {
            method,
            headers: {
                ...(token && { authorization: `Bearer ${token}` }),
                ...(body && { 'content-type': 'application/json' }),
                ...headers,
            },
            body: body && JSON.stringify(body),
            ...more,
        });
        const text = await answer.text();
        return {
            status: answer.status,
            etag: answer.headers.get('etag'),
            challenge: answer.headers.get('www-authenticate'),
            allow: answer.headers.get('allow'),
            body: text.startsWith('{') ? JSON.parse(text) : text,
        };
    } catch (error) {
        return { failed: error.name };
    }
}

// A client: { get, update }, each of which takes a message and a token.
function connectClient(make, options) {
    const client = (token) => createClient(ManagementService, make({
        ...options,
        interceptors: token ? [(next) => (request) => {
            request.header.set('authorization', `Bearer ${token}`);
            return next(request);
        }] : [],
    }));
    return {
        get: (message, token) => client(token).getHumanProfile(message),
        update: (message, token) => client(token).updateHumanProfile(message),
        failure: (error) => {
            const { code, rawMessage, details } = ConnectError.from(error);
            return { code, message: rawMessage, details: details.length };
        },
    };
}

function grpcWebClient(baseUrl, format) {
    const base = new grpcWeb.GrpcWebClientBase({ format });
    const call = (method, message, token) => {
        const path = `/${ManagementService.typeName}/${method.name}`;
        return base.unaryCall(baseUrl + path, create(method.input, message),
            token ? { authorization: `Bearer ${token}` } : {},
            new grpcWeb.MethodDescriptor(path, 'unary', Object, Object,
                (request) => toBinary(method.input, request),
                (bytes) => fromBinary(method.output, new Uint8Array(bytes))),
            {});
    };
    const { getHumanProfile, updateHumanProfile } = ManagementService.method;
    return {
        get: (message, token) => call(getHumanProfile, message, token),
        update: (message, token) => call(updateHumanProfile, message, token),
        failure: ({ code, message, metadata }) => ({
            code,
            message,
            details: metadata?.['grpc-status-details-bin'] ? 2 : 0,
        }),
    };
}

const clients = {
    'Connect, JSON': (baseUrl) =>
        connectClient(web.createConnectTransport, { baseUrl }),
    'Connect, binary': (baseUrl) =>
        connectClient(web.createConnectTransport,
            { baseUrl, useBinaryFormat: true }),
    'gRPC-Web, connect-web': (baseUrl) =>
        connectClient(web.createGrpcWebTransport, { baseUrl }),
    'gRPC-Web, binary': (baseUrl) => grpcWebClient(baseUrl, 'binary'),
    'gRPC-Web, text': (baseUrl) => grpcWebClient(baseUrl, 'text'),
};

// By the client NAME: an update, a read of it, and two errors.
async function play(name, { api, token, user }) {
    const client = clients[name](api);
    const outcome = (promise) =>
        promise.then((answer) => answer.profile?.nickName ?? 'done',
            client.failure);
    return {
        update: await outcome(client.update(
            { userId: user, ...names, nickName: name }, token)),
        read: await outcome(client.get({ userId: user }, token)),
        nobody: await outcome(client.get({ userId: 'nobody' }, token)),
        stranger: await outcome(client.get({ userId: user })),
    };
}

globalThis.calls = { ask, play, names: Object.keys(clients) };
