// details.mjs -- errors' details, decoded by the .proto files that we install.
import { join } from 'node:path';
import protobuf from 'protobufjs';

import { setup } from './setup.mjs';

const root = new protobuf.Root();
root.resolvePath = (_, target) => join(setup.protos, target);
root.loadSync([
    'google/rpc/status.proto',
    'google/rpc/error_details.proto',
    'zitadel/message.proto',
]);

// {type, ...fields} of a detail; type is a full name.
export function decodeDetail(type, bytes) {
    const message = root.lookupType(type);
    return { type, ...message.toObject(message.decode(bytes)) };
}

// The details in the bytes of grpc-status-details-bin, and what they are of.
export function decodeStatus(bytes) {
    const status = root.lookupType('google.rpc.Status').decode(bytes);
    return {
        code: status.code,
        message: status.message,
        details: status.details.map((any) =>
            decodeDetail(any.type_url.replace(/^.*\//, ''), any.value)),
    };
}
