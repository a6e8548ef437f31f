// grpc_agent.mjs -- a client of the scenario, from an agent that calls a method
// with the bytes of a message.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js';

import { startAgent } from './agent.mjs';
import { decodeStatus } from './details.mjs';

// The client NAME: agents/FILE, which calls TARGET, with a certificate if it
// is to use TLS.
export function grpcAgent(name, file, target, certificate) {
    const agent = startAgent(file, target, ...(certificate ? [certificate] : []));

    const call = async (method, request, more) => {
        const { token, headers = {}, timeout, signal } = more;
        const answer = await agent.ask({
            path: `/${ManagementService.typeName}/${method.name}`,
            message: Buffer.from(toBinary(method.input,
                create(method.input, request))).toString('base64'),
            metadata: {
                ...(token && { authorization: `Bearer ${token}` }), ...headers,
            },
            timeout,
        }, signal);
        if (answer.code)
            throw Object.assign(new Error(answer.message), answer);
        return fromBinary(method.output, Buffer.from(answer.reply, 'base64'));
    };
    const { getHumanProfile, updateHumanProfile, getMyOrg } =
        ManagementService.method;
    return {
        name,
        get: (request, more) => call(getHumanProfile, request, more),
        update: (request, more) => call(updateHumanProfile, request, more),
        unknown: (more) => call(getMyOrg, {}, more),
        failure: ({ code, message, status }) => ({
            code,
            message,
            details: status
                ? decodeStatus(Buffer.from(status, 'base64')).details : [],
        }),
        close: agent.close,
    };
}
