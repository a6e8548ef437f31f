// golden.mjs -- what @bufbuild/protobuf encodes, with ZITADEL's messages, is
// byte by byte what the server answers for a user with the same values.
import {
    create, fromBinary, fromJson, isFieldSet, toBinary, toJson,
} from '@bufbuild/protobuf';
import * as users from '@zitadel/proto/zitadel/user/v2/user_pb.js';
import { UserService } from '@zitadel/proto/zitadel/user/v2/user_service_pb.js';

import { h2c, setup } from './lib/setup.mjs';
import { done, is, ok } from './lib/tap.mjs';

const {
    getUserByID, updateHumanUser, updateUser,
} = UserService.method;
const { Gender, UserState } = users;
const userId = setup.user;

// The bytes of the answer to BODY, by Connect.
async function post(method, mediaType, body) {
    const response = await fetch(
        `${h2c}/${UserService.typeName}/${method.name}`, {
            method: 'POST',
            headers: {
                'Authorization': `Bearer ${setup.token}`,
                'Content-Type': mediaType,
            },
            body,
        });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (!response.ok)
        throw new Error(`${method.name}: ${bytes}`);
    return bytes;
}

function callBinary(method, request) {
    return post(method, 'application/proto',
        toBinary(method.input, create(method.input, request)));
}

async function callJson(method, request) {
    return JSON.parse(await post(method, 'application/json', JSON.stringify(
        toJson(method.input, create(method.input, request)))));
}

const hex = (bytes) => Buffer.from(bytes).toString('hex');

const profiles = {
    'all of it': {
        givenName: 'Gigi', familyName: 'Giraffe', nickName: 'G',
        displayName: 'Gigi Giraffe', preferredLanguage: 'en',
        gender: Gender.FEMALE,
    },
    'an empty nickname and no gender': {
        givenName: 'Gigi', familyName: 'Giraffe', nickName: '',
        displayName: 'Gigi Giraffe', preferredLanguage: 'de',
        gender: Gender.UNSPECIFIED,
    },
    'only what has to be there': {
        givenName: 'G', familyName: 'G', nickName: '', displayName: '',
        preferredLanguage: 'und', gender: Gender.UNSPECIFIED,
    },
    'more than a byte\'s length in many scripts': {
        givenName: '長'.repeat(200), familyName: '🦒'.repeat(200),
        nickName: 'é'.repeat(200), displayName: '\u0001\u007f"\\/<>\u2028',
        preferredLanguage: 'zh-Hant-TW', gender: Gender.DIVERSE,
    },
};

let sequence = 1n; // that of a new user

for (const [what, profile] of Object.entries(profiles)) {
    // Only the dates are taken from an answer, the one to the update.
    const updated = await callBinary(updateHumanUser, { userId, profile });
    const details = {
        ...fromBinary(updateHumanUser.output, updated).details,
        sequence: ++sequence, resourceOwner: setup.org,
    };
    is(hex(toBinary(updateHumanUser.output,
        create(updateHumanUser.output, { details }))), hex(updated),
    `${what}: the answer to UpdateHumanUser is what the published encoder makes`);

    const expected = create(getUserByID.output, {
        details,
        user: {
            userId, details, state: UserState.ACTIVE,
            type: { case: 'human', value: { profile } },
        },
    });
    const got = await callBinary(getUserByID, { userId });
    is(hex(got), hex(toBinary(getUserByID.output, expected)),
        'so is the answer to GetUserByID');

    const decoded = fromBinary(getUserByID.output, got);
    is(hex(toBinary(getUserByID.output, decoded)), hex(got),
        'decoded and encoded again it is the same');
    ok(!JSON.stringify(decoded, (_, v) => (typeof v === 'bigint' ? `${v}` : v))
        .includes('$unknown'), 'it has no field that is unknown there');
    is(users.HumanProfileSchema.fields
        .filter((field) => isFieldSet(decoded.user.type.value.profile, field))
        .map((field) => field.localName),
    ['givenName', 'familyName', 'nickName', 'displayName',
        'preferredLanguage', 'gender'], 'the fields of the profile are there');

    const json = await callJson(getUserByID, { userId });
    is(json, toJson(getUserByID.output, expected),
        'in JSON it is what the published encoder makes');
    is(hex(toBinary(getUserByID.output, fromJson(getUserByID.output, json))),
        hex(got), 'and means the same');
}

const machine = await callBinary(getUserByID, { userId: setup.machine });
const { details } = fromBinary(getUserByID.output, machine);
is(hex(machine), hex(toBinary(getUserByID.output, create(getUserByID.output, {
    details,
    user: {
        userId: setup.machine, details, state: UserState.ACTIVE,
        type: { case: 'machine', value: {} },
    },
}))), 'a machine is encoded as by the published encoder');

const { changeDate } = fromBinary(updateUser.output,
    await callBinary(updateUser,
        { userId, userType: { case: 'human', value: {} } }));
is(hex(await callBinary(updateUser,
    { userId, userType: { case: 'human', value: {} } })),
hex(toBinary(updateUser.output, create(updateUser.output, { changeDate }))),
'the answer to UpdateUser is what the published encoder makes');
done();
