// user_service.mjs -- what each client of the v2 user service, and of one's own
// profile, is asked to do; the same for all.
//
// A client is { name, user, self, close }: user(TOKEN) and self(TOKEN) are
// stubs of @connectrpc/connect for ZITADEL's UserService and AuthService that
// bear TOKEN, if there is one; close() ends its connections.
import { isFieldSet, toJson } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { Gender as OwnGender } from '@zitadel/proto/zitadel/user_pb.js';
import {
    Gender, HumanProfileSchema, MachineUserSchema, UserState,
} from '@zitadel/proto/zitadel/user/v2/user_pb.js';
import { setTimeout as sleep } from 'node:timers/promises';

import { ourTypes } from './buf.mjs';
import { setup } from './setup.mjs';
import { is, ok } from './tap.mjs';

const AT_ONCE = 25; // pairs of updates
const DELAY = 300;  // milliseconds

const types = ourTypes();
const { token, user: userId } = setup;

const lovelace = {
    givenName: 'Ada', familyName: 'Lovelace', nickName: 'Countess',
    displayName: 'Ada Lovelace', preferredLanguage: 'de-CH',
    gender: Gender.FEMALE,
};

let changes = 0;

// A nickname that no user had before.
function nickName() {
    return `nick${++changes}`;
}

async function read(client) {
    const reply = await client.user(token).getUserByID({ userId });
    const { $typeName, $unknown, ...profile } = reply.user.type.value.profile;
    return { ...reply, profile };
}

function human(profile) {
    return { userId, userType: { case: 'human', value: { profile } } };
}

async function succeeds(client) {
    const { name } = client;
    const user = client.user(token);
    const changed = { ...lovelace, nickName: nickName() };
    const first = await read(client);
    const updated = await user.updateHumanUser({ userId, profile: changed });
    const second = await read(client);

    ok(updated.details.sequence > first.details.sequence,
        `${name}: UpdateHumanUser gives the user another sequence`);
    is(second.details, updated.details, 'GetUserByID has the same details');
    is(second.details.resourceOwner, setup.org, 'and the organisation');
    is(second.details.creationDate, first.details.creationDate,
        'and the date of creation');
    is(second.user.details, second.details, 'the user has them too');
    is([second.user.userId, second.user.state, second.user.type.case],
        [userId, UserState.ACTIVE, 'human'], 'it is an active human');
    is(second.profile, { ...changed, avatarUrl: '' }, 'with the new profile');

    const third = await user.updateUser(human({ displayName: 'Countess' }));
    const { details, profile } = await read(client);
    is(third.changeDate, details.changeDate,
        'UpdateUser answers the date of the change');
    is(profile, { ...second.profile, displayName: 'Countess' },
        'it keeps the fields that the request does not have');

    for (const [what, call] of [
        ['the stored profile', user.updateHumanUser({ userId, profile })],
        ['no profile', user.updateHumanUser({ userId })],
        ['a human without profile', user.updateUser(human(undefined))],
        ['a profile without fields', user.updateUser(human({}))],
    ]) {
        const same = await call;
        is(same.changeDate || same.details.changeDate, details.changeDate,
            `an update to ${what} succeeds`);
    }
    is((await read(client)).details, details, 'and changes nothing');
}

async function clears(client) {
    await client.user(token).updateHumanUser({
        userId,
        profile: {
            ...lovelace, nickName: '', displayName: '', preferredLanguage: '',
            gender: Gender.UNSPECIFIED,
        },
    });
    const { user, profile } = await read(client);
    is(profile, {
        givenName: 'Ada', familyName: 'Lovelace', nickName: '',
        displayName: '', preferredLanguage: 'und',
        gender: Gender.UNSPECIFIED, avatarUrl: '',
    }, `${client.name}: UpdateHumanUser clears a field by an empty value`);
    ok(['nickName', 'displayName', 'preferredLanguage', 'gender'].every(
        (field) => isFieldSet(user.type.value.profile,
            HumanProfileSchema.field[field])),
    'the answer has the fields that are empty');
}

// Updates of different fields at the same moment.
async function atOnce(client) {
    const user = client.user(token);
    const lost = [];
    for (let i = 0; i < AT_ONCE; i++) {
        const wanted = { nickName: nickName(), displayName: nickName() };
        await Promise.all(Object.entries(wanted).map(([field, value]) =>
            user.updateUser(human({ [field]: value }))));
        const { profile } = await read(client);
        if (profile.nickName !== wanted.nickName ||
            profile.displayName !== wanted.displayName)
            lost.push(profile);
    }
    is(lost, [], `${client.name}: two updates of different fields at the same `
        + 'moment both hold');
}

async function readsMachine(client) {
    const { user } = await client.user(token)
        .getUserByID({ userId: setup.machine });
    is([user.type.case, toJson(MachineUserSchema, user.type.value)],
        ['machine', {}], `${client.name}: a machine is a machine`);
}

async function ownProfile(client) {
    const { name } = client;
    const { id, token: own } = setup.self;
    const self = client.self(own);
    const nick = nickName();
    const { details } = await self.updateMyProfile({
        firstName: 'Gigi', lastName: 'G', nickName: nick, displayName: 'G G',
        preferredLanguage: 'EN', gender: OwnGender.DIVERSE,
    });
    const mine = await self.getMyProfile({});
    const { $typeName, $unknown, ...profile } = mine.profile;
    is(mine.details, details, `${name}: a user without roles changes its own `
        + 'profile and reads it');
    is(profile, {
        firstName: 'Gigi', lastName: 'G', nickName: nick, displayName: 'G G',
        preferredLanguage: 'en', gender: OwnGender.DIVERSE, avatarUrl: '',
    }, 'with what it has sent');

    await client.user(own).updateUser({
        userId: id,
        userType: { case: 'human', value: { profile: { nickName: 'Self' } } },
    });
    const { user } = await client.user(own).getUserByID({ userId: id });
    is(user.type.value.profile.nickName, 'Self',
        'and does so in the v2 user service');
}

const names = 'value length must be between 1 and 200 runes, inclusive';
const update = 'invalid UpdateUserRequest.Human: embedded message failed '
    + 'validation | caused by: invalid UpdateUserRequest_Human.Profile: '
    + 'embedded message failed validation | caused by: invalid '
    + 'UpdateUserRequest_Human_Profile';
const updateHuman = 'invalid UpdateHumanUserRequest.Profile: embedded message '
    + 'failed validation | caused by: invalid SetHumanProfile';
const unkept = (field) =>
    `${field} is not kept by this profile store; nothing was changed`;

// What, call, code, reason, message, id of ErrorDetail or violations.
const errors = [
    ['no token', ({ user }) => user().getUserByID({ userId }),
        16, 'AUTH_HEADER_MISSING', 'auth header missing'],
    ['an unknown token', ({ user }) => user('unknown').getUserByID({ userId }),
        16, 'TOKEN_INVALID', 'Token is invalid', 'AUTH-7fs1e'],
    ['an unknown organisation', ({ user }) => user(token).getUserByID({ userId },
        { headers: { 'x-zitadel-orgid': 'nowhere' } }),
        7, 'ORG_NOT_FOUND', "Organisation doesn't exist", 'AUTH-Bs7Ds'],
    ['an unknown user', ({ user }) => user(token).getUserByID({ userId: 'nobody' }),
        5, 'USER_NOT_FOUND', 'User could not be found', 'QUERY-Dfbg2'],
    ['a user of another organisation', ({ user }) => user(setup.reader).getUserByID({ userId }),
        5, 'USER_NOT_FOUND', 'User could not be found', 'QUERY-Dfbg2'],
    ['a machine to change', ({ user }) => user(token).updateUser({ ...human({ nickName: 'x' }), userId: setup.machine }),
        5, 'USER_NOT_FOUND', 'User could not be found', 'COMMAND-ugjs0upun6'],
    ['no permission', ({ user }) => user(setup.viewer).updateUser(human({ nickName: 'x' })),
        7, 'PERMISSION_DENIED', 'No matching permissions found', 'AUTH-AWfge'],
    ['names that are missing', ({ user }) => user(token).updateHumanUser({ userId, profile: { familyName: '' } }),
        3, 'FIELD_INVALID', `${updateHuman}.GivenName: ${names}`,
        [{ field: 'profile.givenName', description: names }, { field: 'profile.familyName', description: names }]],
    ['a field that cannot be cleared', ({ user }) => user(token).updateUser(human({ nickName: '' })),
        3, 'FIELD_INVALID', `${update}.NickName: ${names}`,
        [{ field: 'human.profile.nickName', description: names }]],
    ['an email address', ({ user }) => user(token).updateHumanUser(
        { userId, email: { email: 'ada@example.com', verification: { case: 'isVerified', value: true } } }),
        12, 'FIELD_UNSUPPORTED', unkept('email')],
    ['a password', ({ user }) => user(token).updateUser({ userId, userType: { case: 'human', value: {
        profile: { nickName: 'x' }, password: { passwordType: { case: 'password', value: { password: 'secret' } } } } } }),
        12, 'FIELD_UNSUPPORTED', unkept('human.password')],
    ['a change to a machine', ({ user }) => user(token).updateUser({ userId: setup.machine, userType: { case: 'machine', value: { name: 'x' } } }),
        12, 'FIELD_UNSUPPORTED', unkept('machine')],
    ['no type of user', ({ user }) => user(token).updateUser({ userId }),
        12, 'UNIMPLEMENTED', 'user type is not implemented ()'],
    ['another sequence', ({ user }) => user(token).updateUser(human({ nickName: 'x' }), { headers: { 'if-match': '"0"' } }),
        10, 'SEQUENCE_MISMATCH'],
    ['an unknown method', ({ user }) => user(token).listUsers({}),
        12, 'UNIMPLEMENTED', 'unknown method ListUsers for service zitadel.user.v2.UserService'],
    ['a message over the limit', ({ user }) => user(token).updateUser(human({ nickName: 'x'.repeat(3000000) })),
        8, 'BODY_TOO_LARGE'],
    ['a machine that asks for its own profile', ({ self }) => self(setup.machine_token).getMyProfile({}),
        9, 'USER_NOT_HUMAN', 'The User must be personal', 'QUERY-WLTce'],
    ['a change of one\'s own that has no name', ({ self }) => self(setup.self.token).updateMyProfile({ lastName: 'x', displayName: 'x' }),
        3, 'FIELD_INVALID', `invalid UpdateMyProfileRequest.FirstName: ${names}`,
        [{ field: 'firstName', description: names }]],
];

// The details of ERROR, each by the name of its type.
function detailsOf(error) {
    const details = {};
    for (const type of ['zitadel.v1.ErrorDetail', 'google.rpc.ErrorInfo',
        'google.rpc.BadRequest']) {
        const schema = types.getMessage(type);
        const found = error.findDetails(schema);
        if (found.length)
            details[type] = found.map((detail) => toJson(schema, detail));
    }
    return details;
}

// The error that CALL ends with, or one that tells that it succeeded.
function failure(call) {
    return call.then(() => new ConnectError('it succeeded', 0),
        (error) => ConnectError.from(error));
}

async function fails(client) {
    for (const [what, call, code, reason, message, more] of errors) {
        const error = await failure(call(client));
        const id = typeof more === 'string' && more;
        is(error.code, code, `${client.name}: ${what}: ${code}`);
        if (message)
            is(error.rawMessage, id ? `${message} (${id})` : message,
                'its message');
        is(detailsOf(error), {
            ...(id && { 'zitadel.v1.ErrorDetail': [{ id, message }] }),
            'google.rpc.ErrorInfo': [{ reason, domain: 'userprofile' }],
            ...(Array.isArray(more)
                && { 'google.rpc.BadRequest': [{ fieldViolations: more }] }),
        }, 'its details');
    }
}

async function givesUp(client) {
    const user = client.user(token);
    const headers = { 'x-test-delay': String(DELAY) };
    const before = await read(client);
    const [late, cancelled] = await Promise.all([
        failure(user.updateUser(human({ nickName: nickName() }),
            { headers, timeoutMs: DELAY / 3 })),
        failure(user.getUserByID({ userId },
            { headers, signal: AbortSignal.timeout(DELAY / 3) })),
    ]);
    is(late.code, 4, `${client.name}: a deadline that passes`);
    is(cancelled.code, 1, `${client.name}: a call that is cancelled`);

    await sleep(DELAY);
    is((await read(client)).details, before.details,
        'the next call is served, and nothing was changed');
}

// Have CLIENT do all of it.
export async function playUserService(client) {
    await succeeds(client);
    await clears(client);
    await atOnce(client);
    await readsMachine(client);
    await ownProfile(client);
    await fails(client);
    await givesUp(client);
    await client.close?.();
}
