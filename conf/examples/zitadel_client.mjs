// zitadel_client.mjs USER -- @zitadel/client reads and changes a nick name, over
// gRPC. $URL and $TOKEN say where and who; "make run" leaves them in
// build/run/env.
import { Code, ConnectError } from '@connectrpc/connect';
import { createServerTransport } from '@zitadel/client/node';
import { createUserServiceClient } from '@zitadel/client/v2';

const [userId] = process.argv.slice(2);
const users = createUserServiceClient(
    createServerTransport(process.env.TOKEN, { baseUrl: process.env.URL }));

async function read() {
    const { details, user } = await users.getUserByID({ userId });
    return { etag: `"${details.sequence}"`, nickName: user.type.value.profile.nickName };
}

// Change it if the user is still the one with ETAG; if not, look again.
async function change(nickName, etag) {
    const userType = { case: 'human', value: { profile: { nickName } } };
    try {
        await users.updateUser({ userId, userType }, { headers: etag ? { 'If-Match': etag } : {} });
        console.log(`changed to ${nickName}`);
    } catch (error) {
        const { code, rawMessage } = ConnectError.from(error);
        if (code === Code.Aborted) {
            const now = await read();
            console.log(`conflict: it is ${now.nickName} now`);
            return change(nickName, now.etag);
        }
        console.log(code === Code.InvalidArgument ? `refused: ${rawMessage}` : `failed: ${rawMessage}`);
    }
}

const user = await read();
console.log(`read: it is ${user.nickName}`);
await change('Tall', user.etag);
await change('Small', user.etag); // of before the first change
await change('x'.repeat(201));
