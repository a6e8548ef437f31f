// plain_json.mjs -- JSON to RPC paths without Connect-Protocol-Version, as
// ZITADEL's SDKs for Python, PHP, Ruby and Java send it, by the HTTP clients of
// these languages. Java's is imitated, as a JDK is large: it asks for HTTP/2 on
// its first request.
import { request } from 'node:http';

import { startAgent } from './lib/agent.mjs';
import { setup } from './lib/setup.mjs';
import { done, is } from './lib/tap.mjs';

const address = `127.0.0.1:${setup.port}`;
const user = '/zitadel.user.v2.UserService';
const management = '/zitadel.management.v1.ManagementService';
const userId = setup.user;

// What java.net.http.HttpClient sends, in its order; it resolves to what an
// agent answers.
function java({ path, headers, body }) {
    return new Promise((resolve, reject) => {
        const bytes = Buffer.from(JSON.stringify(body));
        const call = request(`http://${address}${path}`, {
            method: 'POST',
            setHost: false,
            headers: {
                'Connection': 'Upgrade, HTTP2-Settings',
                'Content-Length': bytes.length,
                'Host': address,
                'HTTP2-Settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
                'Upgrade': 'h2c',
                'User-Agent': 'Java-http-client/17.0.15',
                ...headers,
            },
        }, (response) => {
            let text = '';
            response.setEncoding('utf8');
            response.on('data', (more) => { text += more; });
            response.on('end', () => resolve({
                status: response.statusCode,
                headers: response.headers,
                body: text,
            }));
        });
        call.on('upgrade', () => reject(new Error('it became HTTP/2')));
        call.on('error', reject);
        call.end(bytes);
    });
}

const info = (reason) => ({ reason, domain: 'userprofile' });
const names = 'value length must be between 1 and 200 runes, inclusive';

// The code, message and details of an error's body; the last by their types.
function summary(body) {
    const details = (body.details || []).map(({ type, debug }) => [type, debug]);
    return { ...body, details: Object.fromEntries(details) };
}

// What, path, body, token, status, Connect's code, message, details.
const errors = [
    ['no token', `${user}/GetUserByID`, { userId }, undefined,
        401, 'unauthenticated', 'auth header missing',
        { 'google.rpc.ErrorInfo': info('AUTH_HEADER_MISSING') }],
    ['an unknown user', `${user}/GetUserByID`, { userId: 'nobody' }, setup.token,
        404, 'not_found', 'User could not be found (QUERY-Dfbg2)',
        {
            'zitadel.v1.ErrorDetail': { id: 'QUERY-Dfbg2', message: 'User could not be found' },
            'google.rpc.ErrorInfo': info('USER_NOT_FOUND'),
        }],
    ['no permission', `${user}/UpdateUser`, { userId, human: { profile: { nickName: 'x' } } }, setup.viewer,
        403, 'permission_denied', 'No matching permissions found (AUTH-AWfge)',
        {
            'zitadel.v1.ErrorDetail': { id: 'AUTH-AWfge', message: 'No matching permissions found' },
            'google.rpc.ErrorInfo': info('PERMISSION_DENIED'),
        }],
    ['a field of the wrong type', `${user}/UpdateUser`, { userId, human: { profile: { nickName: 7 } } }, setup.token,
        400, 'invalid_argument', undefined,
        { 'google.rpc.ErrorInfo': info('BODY_INVALID') }],
    ['a name that is missing', `${management}/UpdateHumanProfile`, { userId, lastName: 'L', displayName: 'L' }, setup.token,
        400, 'invalid_argument', `invalid UpdateHumanProfileRequest.FirstName: ${names}`,
        {
            'google.rpc.ErrorInfo': info('FIELD_INVALID'),
            'google.rpc.BadRequest': { fieldViolations: [{ field: 'firstName', description: names }] },
        }],
    ['a phone number', `${user}/UpdateHumanUser`, { userId, phone: { phone: '+41', sendCode: {} } }, setup.token,
        501, 'unimplemented', 'phone is not kept by this profile store; nothing was changed',
        { 'google.rpc.ErrorInfo': info('FIELD_UNSUPPORTED') }],
    ['a message over the limit', `${user}/UpdateUser`, { userId, human: { profile: { nickName: 'x'.repeat(3000000) } } }, setup.token,
        429, 'resource_exhausted', undefined,
        { 'google.rpc.ErrorInfo': info('BODY_TOO_LARGE') }],
];

async function playJson(name, send) {
    const call = async (path, body, token) => {
        const answer = await send({
            path,
            headers: {
                'Accept': 'application/json',
                'Content-Type': 'application/json',
                ...(token && { Authorization: `Bearer ${token}` }),
            },
            body,
        });
        return { ...answer, body: JSON.parse(answer.body) };
    };

    const profile = {
        givenName: 'Zoë', familyName: 'Größe / "Länge"', nickName: '🦒\n',
        displayName: `by ${name}`, preferredLanguage: 'de',
        gender: 'GENDER_FEMALE',
    };
    const updated = await call(`${user}/UpdateHumanUser`,
        { userId, username: null, profile, email: null }, setup.token);
    is([updated.status, updated.headers['content-type']],
        [200, 'application/json'], `${name}: UpdateHumanUser succeeds`);
    const read = await call(`${user}/GetUserByID`, { userId }, setup.token);
    is([read.status, read.headers['content-type']],
        [200, 'application/json'], 'GetUserByID does');
    is(read.body.user?.human.profile, profile, 'it has what was sent');
    is(read.body.details, updated.body.details, 'and since when');

    const changed = await call(`${user}/UpdateUser`,
        { userId, human: { profile: { nickName: 'Z' } } }, setup.token);
    is([changed.status, Object.keys(changed.body)], [200, ['changeDate']],
        'UpdateUser succeeds');
    const own = await call(
        '/zitadel.auth.v1.AuthService/GetMyProfile', {}, setup.self.token);
    is([own.status, own.body.profile?.firstName], [200, 'Gigi'],
        'one reads one\'s own profile');

    for (const [what, path, body, token, status, code, message, details]
        of errors) {
        const answer = await call(path, body, token);
        is([answer.status, answer.headers['content-type']],
            [status, 'application/json'], `${name}: ${what}: ${status}`);
        const got = summary(answer.body);
        is([got.code, got.details], [code, details], 'its code and details');
        if (message)
            is(got.message, message, 'its message');
    }
}

for (const [name, file, ...args] of [
    ['Python\'s urllib', 'http_python.py', 'urllib'],
    ['Python\'s http.client', 'http_python.py', 'http.client'],
    ['PHP\'s curl', 'http_php.php'],
    ['Ruby\'s Net::HTTP', 'http_ruby.rb'],
]) {
    const agent = startAgent(file, ...args, address);
    await playJson(name, agent.ask);
    await agent.close();
}
await playJson('as Java\'s HttpClient', java);
done();
