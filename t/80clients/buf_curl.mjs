// buf_curl.mjs -- buf curl, with the .proto files that we install: connect-go
// and Go's HTTP/1.1 and HTTP/2, in each protocol.
import { buf } from './lib/buf.mjs';
import { decodeDetail } from './lib/details.mjs';
import { h2c, setup, tls } from './lib/setup.mjs';
import { done, is, ok } from './lib/tap.mjs';

const h2 = '--http2-prior-knowledge';
const overTls = ['--cacert', setup.certificate];
const ways = [
    ['gRPC over h2c', h2c, ['--protocol', 'grpc', h2]],
    ['gRPC over TLS', tls, ['--protocol', 'grpc', ...overTls]],
    ['gRPC-Web over HTTP/1.1', h2c, ['--protocol', 'grpcweb']],
    ['gRPC-Web over h2c', h2c, ['--protocol', 'grpcweb', h2]],
    ['Connect over HTTP/1.1', h2c, ['--protocol', 'connect']],
    ['Connect over h2c', h2c, ['--protocol', 'connect', h2]],
    ['Connect over TLS', tls, ['--protocol', 'connect', ...overTls]],
];

const user = 'zitadel.user.v2.UserService';
const management = 'zitadel.management.v1.ManagementService';
const { token } = setup;

const names = 'value length must be between 1 and 200 runes, inclusive';
const invalid = 'invalid UpdateHumanUserRequest.Profile: embedded message '
    + 'failed validation | caused by: invalid SetHumanProfile.GivenName: ';

const info = (reason) =>
    ({ type: 'google.rpc.ErrorInfo', reason, domain: 'userprofile' });
const detail = (id, message) =>
    ({ type: 'zitadel.v1.ErrorDetail', id, message });

// Method, request, token, code, its name in Connect, message, details.
const errors = [
    [`${user}/GetUserByID`, { userId: setup.user }, undefined,
        16, 'unauthenticated', 'auth header missing',
        [info('AUTH_HEADER_MISSING')]],
    [`${user}/GetUserByID`, { userId: 'nobody' }, token,
        5, 'not_found', 'User could not be found (QUERY-Dfbg2)',
        [detail('QUERY-Dfbg2', 'User could not be found'),
            info('USER_NOT_FOUND')]],
    [`${user}/UpdateHumanUser`,
        { userId: setup.user, profile: { familyName: 'L' } }, token,
        3, 'invalid_argument', `${invalid}${names}`,
        [info('FIELD_INVALID'), {
            type: 'google.rpc.BadRequest',
            fieldViolations: [
                { field: 'profile.givenName', description: names },
            ],
        }]],
    [`${user}/UpdateUser`, { userId: setup.user, username: 'ada' }, token,
        12, 'unimplemented',
        'username is not kept by this profile store; nothing was changed',
        [info('FIELD_UNSUPPORTED')]],
    [`${management}/UpdateHumanProfile`,
        { userId: setup.still, firstName: 'Ada', lastName: 'L',
            displayName: 'Ada L' }, token,
        9, 'failed_precondition', 'Profile not changed (COMMAND-2M0fs)',
        [detail('COMMAND-2M0fs', 'Profile not changed'),
            info('PROFILE_NOT_CHANGED')]],
];

function call([, origin, flags], method, request, bearer) {
    const header = bearer
        ? ['--header', `Authorization: Bearer ${bearer}`] : [];
    return buf('curl', '--schema', setup.protos, ...flags, ...header,
        '--data', JSON.stringify(request), `${origin}/${method}`);
}

async function succeeds(way, nickName) {
    const answer = async (method, request, bearer) => {
        const { status, out, err } = await call(way, method, request, bearer);
        is([status, err], [0, ''], `${way[0]}: ${method} succeeds`);
        return status === 0 ? JSON.parse(out) : {};
    };
    const updated = await answer(`${user}/UpdateUser`,
        { userId: setup.user, human: { profile: { nickName } } }, token);
    const read = await answer(`${user}/GetUserByID`, { userId: setup.user },
        token);
    is(read.user?.human.profile.nickName, nickName, 'the change was made');
    is(updated.changeDate, read.details?.changeDate, 'when the answer says');

    const own = await answer('zitadel.auth.v1.AuthService/GetMyProfile', {},
        setup.self.token);
    is(own.profile?.firstName, 'Gigi', 'one reads one\'s own profile');
    is(await answer('grpc.health.v1.Health/Check', { service: user }),
        { status: 'SERVING' }, 'the service is up');
}

async function fails(way) {
    const ends = await Promise.all(errors.map(([method, request, bearer]) =>
        call(way, method, request, bearer)));
    for (const [i, [method, , , code, name, message, details]]
        of errors.entries()) {
        const { status, out, err } = ends[i];
        is([status, out], [8 * code, ''],
            `${way[0]}: ${method}: ${name} is the exit status ${8 * code}`);
        const error = JSON.parse(err);
        is([error.code, error.message], [name, message], 'its message');
        is(error.details.map(({ type, value }) =>
            decodeDetail(type, Buffer.from(value, 'base64'))), details,
        'its details');
    }
}

is(await buf('build', setup.protos), { status: 0, out: '', err: '' },
    'buf compiles our .proto files');
const { out } = await buf('curl', '--schema', setup.protos, '--list-methods');
ok(out.split('\n').includes(`${user}/UpdateHumanUser`),
    'buf lists the methods in them');
for (const [i, way] of ways.entries()) {
    await succeeds(way, `nick${i}`);
    await fails(way);
}
done();
