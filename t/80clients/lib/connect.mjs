// connect.mjs -- stubs of @connectrpc/connect, and a client of the scenario made
// from them.
import { ConnectError, createClient } from '@connectrpc/connect';

import { decodeDetail } from './details.mjs';

// A function that makes a stub of SERVICE that bears TOKEN, if there is one, over
// a transport that CREATE makes with OPTIONS.
export function stubs(create, options) {
    return (service, token) => {
        const bear = (next) => (request) => {
            request.header.set('authorization', `Bearer ${token}`);
            return next(request);
        };
        return createClient(service,
            create({ ...options, interceptors: token ? [bear] : [] }));
    };
}

// MAKE_STUB(TOKEN) is a stub of ZITADEL's ManagementService that bears TOKEN,
// if there is one.
export function connectClient(name, makeStub, close = () => {}) {
    const stubs = new Map();
    const stub = ({ token }) => {
        if (!stubs.has(token))
            stubs.set(token, makeStub(token));
        return stubs.get(token);
    };
    const options = ({ headers, timeout, signal }) =>
        ({ headers, timeoutMs: timeout, signal });
    return {
        name,
        get: (request, more) =>
            stub(more).getHumanProfile(request, options(more)),
        update: (request, more) =>
            stub(more).updateHumanProfile(request, options(more)),
        unknown: (more) => stub(more).getMyOrg({}, options(more)),
        failure: (error) => {
            const { code, rawMessage, details } = ConnectError.from(error);
            return {
                code,
                message: rawMessage,
                details: details.map(({ type, value }) =>
                    decodeDetail(type, value)),
            };
        },
        close,
    };
}
