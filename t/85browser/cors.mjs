// cors.mjs -- pages in Chromium call the server from another origin, by fetch and
// by published clients: from one that UserProfileCors has, and from one that it
// has not.
import { startChromium } from './lib/chromium.mjs';
import { importMap } from './lib/modules.mjs';
import { setup } from '../80clients/lib/setup.mjs';
import { done, is, ok } from '../80clients/lib/tap.mjs';

const { port, token, user, org } = setup;
const at = (host) => `http://${host}:${port}`;
const api = `${at('127.0.0.1')}/web`;
const profile = `${api}/management/v1/users/${user}/profile`;
const ada = { firstName: 'Ada', lastName: 'L', displayName: 'Ada L' };

const chromium = startChromium();

// A page of HOST: ask(URL, OPTIONS), play(CLIENT, WHAT), names.
async function page(host) {
    const run = await chromium.open(`${at(host)}/browser/page.html`);
    await run(`{
        const map = document.createElement('script');
        map.type = 'importmap';
        map.textContent = ${JSON.stringify(importMap('/browser/modules'))};
        document.head.append(map);
    }`);
    await run(`import('/browser/calls.js').then(() => true)`);
    const call = (name) => (...what) => run(`calls.${name}(${
        what.map((value) => JSON.stringify(value)).join(', ')})`);
    return { ask: call('ask'), play: call('play'), names: await run('calls.names') };
}

try {
    const app = await page('app.localhost');
    const third = await page('third.localhost');

    // JSON.
    const before = await app.ask(profile, { token, credentials: 'include' });
    is([before.status, before.body.details.resourceOwner], [200, org],
        'JSON: a page reads a profile, with credentials');
    is(before.etag, `"${before.body.details.sequence}"`, 'JSON: a page reads the ETag');
    const put = await app.ask(profile, {
        method: 'PUT', token, body: { ...ada, nickName: 'by PUT' },
        headers: { 'if-match': before.etag, 'x-zitadel-orgid': org },
    });
    is(put.status, 200, 'JSON: a page changes it, with If-Match and an organisation');
    is((await app.ask(profile, {
        method: 'PUT', token, body: ada, headers: { 'if-match': before.etag },
    })).body.message, `the stored sequence is ${put.body.details.sequence}`,
    'JSON: a page reads why a change is refused');
    is((await app.ask(`${api}/v2/users/${user}`, {
        method: 'PATCH', token,
        body: { human: { profile: { nickName: 'by PATCH' } } },
    })).status, 200, 'JSON: a page changes one field');
    const now = await app.ask(profile, { token });
    is((await app.ask(profile,
        { token, headers: { 'if-none-match': now.etag } })).status, 304,
    'JSON: a page learns that it has the profile already');
    const { status, challenge, body } = await app.ask(profile, {});
    is([status, challenge, body.message],
        [401, 'Bearer realm="profiles"', 'auth header missing'],
        'JSON: a page reads what a caller has to bring');
    is((await app.ask(profile, { method: 'PUT', token, body: {} }))
        .body.details.at(-1).fieldViolations.length, 3,
    'JSON: a page reads which fields are at fault');
    const denied = await app.ask(profile.replace('/web/', '/web/denied/'), { token });
    is([denied.status, denied.body.message], [403, 'Forbidden'],
        'JSON: a page reads another module\'s error');
    is((await app.ask(profile.replace('/web/', '/web/any/'),
        { token, credentials: 'include' })).failed, 'TypeError',
    '*: a page may not send credentials');
    is((await third.ask(profile.replace('/web/', '/web/any/'), { token })).status,
        200, '*: any page reads a profile, without');

    // gRPC-Web and Connect.
    for (const name of app.names) {
        const { update, read, nobody, stranger } =
            await app.play(name, { api, token, user });
        is([update, read], ['done', name], `${name}: a page changes and reads a profile`);
        is(nobody, {
            code: 5, message: 'User could not be found (QUERY-HNhb3)', details: 2,
        }, `${name}: a page reads an error and its details`);
        is([stranger.code, stranger.message], [16, 'auth header missing'],
            `${name}: a page reads that nobody is authenticated`);
    }

    // Another origin.
    const last = await app.ask(profile, { token });
    is((await third.ask(profile, { token })).failed, 'TypeError',
        'a page of another origin reads no profile');
    is((await third.ask(profile, {})).failed, 'TypeError',
        'a page of another origin reads no error');
    is((await third.ask(profile, { method: 'PUT', token, body: ada })).failed,
        'TypeError', 'a page of another origin changes none');
    for (const name of third.names) {
        const outcomes =
            Object.values(await third.play(name, { api, token, user }));
        ok(outcomes.every(({ code, details }) =>
            [2, 6, 14].includes(code) && details === 0),
        `${name}: a page of another origin learns nothing: ${
            JSON.stringify(outcomes[0])}`);
    }
    is((await app.ask(profile, { token })).etag, last.etag,
        'a page of another origin has changed nothing');
    is((await third.ask(`${at('third.localhost')}/web/management/v1/users/${
        user}/profile`, { token })).status, 200,
    'a page of the server\'s own origin needs no leave');
} finally {
    await chromium.close();
}
done();
