// scenario.mjs -- what each client is asked to do; the same for all.
//
// A client is { name, get, update, unknown, failure, close, onHttp1 }:
//
//   get(request, options), update(request, options), unknown(options)
//                   a call: it resolves to the reply or rejects with the
//                   client's own error. unknown calls a method that ZITADEL
//                   has and we have not. options: { token, headers, timeout
//                   (milliseconds), signal }
//   failure(error)  that error as { code, message, details }
//   close()         end its connections
//   onHttp1         whether it speaks HTTP/1.1, where one connection is not all
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { is, note, ok } from './tap.mjs';
import { setup } from './setup.mjs';

const AT_ONCE = 100;
const IN_A_ROW = 1000;
const UPDATE_EVERY = 10; // of the calls in a row

const token = setup.token;
const ada = { firstName: 'Ada', lastName: 'L', displayName: 'Ada L' };

let changes = 0;

// What to change USER to: never twice the same.
function change(userId, more) {
    return { userId, ...ada, nickName: `n${++changes}`, ...more };
}

async function succeeds({ name, get, update }) {
    const request = change(setup.user, { preferredLanguage: 'DE_ch' });
    const reply = await update(request, { token });
    const { details, profile } = await get({ userId: setup.user }, { token });

    ok(Number(reply.details.sequence) > 1,
        `${name}: an update counts the sequence up`);
    is(details.resourceOwner, setup.org, `${name}: a read has the organisation`);
    is(String(details.sequence), String(reply.details.sequence),
        `${name}: a read has the sequence of the update`);
    is(profile.firstName, 'Ada', `${name}: a read has the first name of the update`);
    is(profile.nickName, request.nickName,
        `${name}: a read has the nick name of the update`);
    is(profile.preferredLanguage, 'de-CH',
        `${name}: a read has the language tag in its usual case`);
}

const invalid = 'invalid UpdateHumanProfileRequest';
const namesRule = 'value length must be between 1 and 200 runes, inclusive';
const genderRule = 'value must be one of the defined enum values';

// What, call, code, reason, message, id of ErrorDetail or violations.
const errors = [
    ['no token', (c) => c.get({ userId: setup.user }, {}),
        16, 'AUTH_HEADER_MISSING', 'auth header missing'],
    ['an unknown token', (c) => c.get({ userId: setup.user }, { token: 'unknown' }),
        16, 'TOKEN_INVALID', 'Token is invalid', 'AUTH-7fs1e'],
    ['an unknown organisation', (c) => c.get({ userId: setup.user },
        { token, headers: { 'x-zitadel-orgid': 'nowhere' } }),
        7, 'ORG_NOT_FOUND', "Organisation doesn't exist", 'AUTH-Bs7Ds'],
    ['no membership', (c) => c.get({ userId: setup.user },
        { token, headers: { 'x-zitadel-orgid': setup.other_org } }),
        5, 'MEMBERSHIP_NOT_FOUND', 'membership not found', 'AUTHZ-cdgFk'],
    ['no permission', (c) => c.update(change(setup.user), { token: setup.reader }),
        7, 'PERMISSION_DENIED', 'No matching permissions found', 'AUTH-5mWD2'],
    ['bad fields', (c) => c.update({ userId: setup.user, ...ada, firstName: '', gender: 9 }, { token }),
        3, 'FIELD_INVALID', `${invalid}.FirstName: ${namesRule}`,
        [{ field: 'firstName', description: namesRule }, { field: 'gender', description: genderRule }]],
    ['an unknown user to change', (c) => c.update(change('nobody'), { token }),
        9, 'PROFILE_NOT_FOUND', 'Profile not found', 'COMMAND-3M9sd'],
    ['unchanged values', (c) => c.update({ userId: setup.still, ...ada }, { token }),
        9, 'PROFILE_NOT_CHANGED', 'Profile not changed', 'COMMAND-2M0fs'],
    ['an unknown user to read', (c) => c.get({ userId: 'nobody' }, { token }),
        5, 'USER_NOT_FOUND', 'User could not be found', 'QUERY-HNhb3'],
    ['a machine', (c) => c.get({ userId: setup.machine }, { token }),
        9, 'USER_NOT_HUMAN', 'The User must be personal', 'QUERY-WLTce'],
    ['another sequence', (c) => c.update(change(setup.still),
        { token, headers: { 'if-match': '"7"' } }),
        10, 'SEQUENCE_MISMATCH', 'the stored sequence is 1'],
    ['a method that we do not serve', (c) => c.unknown({ token }),
        12, 'UNIMPLEMENTED', 'unknown method GetMyOrg for service zitadel.management.v1.ManagementService'],
    ['a message over the limit', (c) => c.update(change(setup.user, { nickName: 'x'.repeat(100000) }), { token }),
        8, 'BODY_TOO_LARGE'],
    ['a message far over the limit', (c) => c.update(change(setup.user, { nickName: 'x'.repeat(3000000) }), { token }),
        8, 'BODY_TOO_LARGE'],
];

// How CALL ends: as failure() has it, or with the reply as message.
function outcome(client, call) {
    return call.then(
        (reply) => ({ code: 0, message: reply, details: [] }),
        (error) => client.failure(error));
}

function expectedDetails(reason, message, more) {
    const details = [
        { type: 'google.rpc.ErrorInfo', reason, domain: 'userprofile' },
    ];
    if (typeof more === 'string')
        details.unshift({ type: 'zitadel.v1.ErrorDetail', id: more, message });
    else if (more)
        details.push({ type: 'google.rpc.BadRequest', fieldViolations: more });
    return details;
}

async function fails(client) {
    for (const [what, call, code, reason, message, more] of errors) {
        const got = await outcome(client, call(client));
        is(got.code, code, `${client.name}: ${what}: code ${code}`);
        if (message)
            is(got.message,
                typeof more === 'string' ? `${message} (${more})` : message,
                `${client.name}: ${what}: the message`);
        is(got.details, expectedDetails(reason, message, more),
            `${client.name}: ${what}: the details`);
    }
}

async function atOnce(client) {
    const calls = [];
    for (let i = 0; i < AT_ONCE; i++)
        calls.push(outcome(client, i % 2
            ? client.get({ userId: setup.user }, { token })
            : client.update(change(setup.user), { token })));
    const ends = await Promise.all(calls);

    is(ends.filter((end) => end.code).map((end) => end.message), [],
        `${client.name}: ${AT_ONCE} calls at once succeed`);
    const sequences = ends.filter((_, i) => i % 2 === 0)
        .map((end) => String(end.message.details?.sequence));
    is(new Set(sequences).size, AT_ONCE / 2,
        `${client.name}: each of the changes at once has its own sequence`);
}

// The ports that requests have come from so far.
function ports() {
    return readFileSync(setup.ports_log, 'latin1').trimEnd().split('\n');
}

// Failures, and replies that are not of what was stored last.
async function inARow(client) {
    const failures = [];
    const already = ports().length;
    const start = Date.now();
    let last;

    for (let i = 0; i < IN_A_ROW; i++) {
        const reads = i % UPDATE_EVERY !== 0;
        const request = reads ? { userId: setup.user } : change(setup.user);
        const { code, message } = await outcome(client,
            (reads ? client.get : client.update)(request, { token }));
        if (code)
            failures.push(`call ${i}: ${message}`);
        else if (reads && message.profile.nickName !== last)
            failures.push(`call ${i} did not read what was stored last`);
        last = request.nickName || last;
    }
    is(failures, [], `${client.name}: ${IN_A_ROW} calls in a row succeed`);
    if (!client.onHttp1)
        is(new Set(ports().slice(already)).size, 1,
            `${client.name}: calls in a row use one connection`);
    note(`${Math.round(IN_A_ROW / (Date.now() - start) * 1000)} calls a second`);
}

async function givesUp(client) {
    const before = await client.get({ userId: setup.user }, { token });
    const late = await outcome(client, client.update(change(setup.user),
        { token, timeout: 100, headers: { 'x-test-delay': '300' } }));
    is(late.code, 4, `${client.name}: a deadline that passes is DEADLINE_EXCEEDED`);

    const cancelled = await outcome(client, client.get({ userId: setup.user },
        {
            token,
            signal: AbortSignal.timeout(100),
            headers: { 'x-test-delay': '300' },
        }));
    is(cancelled.code, 1, `${client.name}: a call that is cancelled is CANCELLED`);

    await sleep(500);
    const after = await client.get({ userId: setup.user }, { token });
    is(String(after.details.sequence), String(before.details.sequence),
        `${client.name}: a call that was given up changes nothing`);
}

// Have CLIENT do all of it.
export async function play(client) {
    await succeeds(client);
    await fails(client);
    await atOnce(client);
    await givesUp(client);
    await inARow(client);
    await client.close();
}
