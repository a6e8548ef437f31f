// grpc_web.mjs -- grpc-web, binary and text, on xhr2 in a browser's place, with
// ZITADEL's messages.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js';
import grpcWeb from 'grpc-web';
import XMLHttpRequest from 'xhr2';

import { decodeStatus } from './lib/details.mjs';
import { play } from './lib/scenario.mjs';
import { h2c } from './lib/setup.mjs';
import { done } from './lib/tap.mjs';

globalThis.XMLHttpRequest = XMLHttpRequest;

function client(format) {
    const base = new grpcWeb.GrpcWebClientBase({ format });

    const call = (method, request, { token, headers, timeout, signal }) => {
        const path = `/${ManagementService.typeName}/${method.name}`;
        const descriptor = new grpcWeb.MethodDescriptor(path, 'unary',
            Object, Object,
            (message) => toBinary(method.input, message),
            (bytes) => fromBinary(method.output, new Uint8Array(bytes)));
        const metadata = {
            ...(token ? { authorization: `Bearer ${token}` } : {}),
            ...(timeout ? { deadline: String(Date.now() + timeout) } : {}),
            ...headers,
        };
        return base.unaryCall(h2c + path, create(method.input, request),
            metadata, descriptor, { signal });
    };
    return {
        name: `grpc-web, ${format}`,
        get: (request, options) =>
            call(ManagementService.method.getHumanProfile, request, options),
        update: (request, options) =>
            call(ManagementService.method.updateHumanProfile, request, options),
        unknown: (options) =>
            call(ManagementService.method.getMyOrg, {}, options),
        failure: (error) => {
            const text = error.metadata?.['grpc-status-details-bin'];
            return {
                code: error.code,
                message: error.message,
                details: text
                    ? decodeStatus(Buffer.from(text, 'base64')).details
                    : [],
            };
        },
        close: () => {},
        onHttp1: true,
    };
}

await play(client('binary'));
await play(client('text'));
done();
