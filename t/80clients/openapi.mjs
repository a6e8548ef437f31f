// openapi.mjs -- conf/openapi.json is valid, and a client that openapi-typescript
// generates from it calls the server: openapi_calls.ts, which the compiler
// checks against the generated types.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Validator } from '@seriousme/openapi-schema-validator';
import openapiTS, { astToString } from 'openapi-typescript';

import { setup } from './lib/setup.mjs';
import { done, is, ok } from './lib/tap.mjs';

const description = JSON.parse(readFileSync(setup.openapi));
const verdict = await new Validator().validate(description);
is(verdict.errors ?? [], [], 'the description is valid');
is(verdict.valid, true, 'as OpenAPI 3.1');

// Below the folder of the packages, where both the compiler and node find them.
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(here, 'openapi-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

writeFileSync(join(folder, 'profiles.ts'),
    astToString(await openapiTS(description)));
writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
const source = readFileSync(join(here, 'openapi_calls.ts'), 'utf8');

// Exit status and output of the compiler for the source TEXT.
function compile(text) {
    writeFileSync(join(folder, 'calls.ts'), text);
    try {
        execFileSync(process.execPath, [
            fileURLToPath(import.meta.resolve('typescript/bin/tsc')),
            '--strict', '--skipLibCheck', '--target', 'es2022',
            '--module', 'nodenext', join(folder, 'calls.ts'),
        ], { encoding: 'utf8' });
        return '';
    } catch (error) {
        return error.stdout;
    }
}

for (const [what, from, to] of [
    ['a field that does not exist', 'nickName:', 'nickname:'],
    ['a gender that does not exist', 'GENDER_DIVERSE', 'GENDER_OTHER'],
    ['a path that does not exist', '/v2/users/{userId}', '/v2/user/{userId}'],
])
    ok(compile(source.replace(from, to)).includes('calls.ts'),
        `the compiler refuses ${what}`);
is(compile(source), '', 'the calls have the types that were generated');

const { play } = await import(join(folder, 'calls.js'));
const seen = await play(`http://127.0.0.1:${setup.port}/api`, setup.token,
    setup.user);
is(seen.before?.profile.firstName, 'Gigi', 'the client reads a profile');
ok(seen.etag, 'and its ETag');
is(seen.updated?.details.sequence, '2', 'it changes it');
is(seen.after?.user.human?.profile,
    {
        givenName: 'Zoë', familyName: 'Größe', nickName: 'Z', displayName: 'Zoë G.',
        preferredLanguage: 'und', gender: 'GENDER_DIVERSE',
    }, 'it reads what it changed');
is(seen.conflict, [412, 'SEQUENCE_MISMATCH'], 'it is told of a conflict');
is(seen.invalid, [400, 'FIELD_INVALID', ['firstName']],
    'it is told which field is at fault');
done();
