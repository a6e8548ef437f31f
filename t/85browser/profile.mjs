// profile.mjs -- people use the profile page in Chromium.
import { execFileSync } from 'node:child_process';
import { startChromium } from './lib/chromium.mjs';
import { done, is, ok } from '../80clients/lib/tap.mjs';

const setup = JSON.parse(process.env.UP_SETUP);
const ctl = (...what) => execFileSync(setup.tool,
    ['-s', setup.store, ...what], { encoding: 'utf8' }).trim();
const chromium = startChromium();

// A page at PATH, of a person whose language is LANGUAGE.
async function open(path, { language = 'en', width = 1280 } = {}) {
    const tab = await chromium.tab();
    await tab.send('Emulation.setDeviceMetricsOverride',
        { width, height: 760, deviceScaleFactor: 1, mobile: width < 600 });
    await tab.send('Emulation.setUserAgentOverride',
        { userAgent: 'a browser', acceptLanguage: language });
    await tab.send('Page.addScriptToEvaluateOnNewDocument', { source:
        `globalThis.violations = [];
         addEventListener('securitypolicyviolation',
             ({ violatedDirective }) => violations.push(violatedDirective));` });
    const until = (script) => tab.run(`new Promise((resolve, reject) => {
        let left = 1000;
        const look = () => (${script}) ? resolve(true)
            : left-- ? setTimeout(look, 20) : reject(new Error(${
    JSON.stringify(script)} + ' in: ' + document.body.innerText));
        look();
    })`);
    const type = async (id, text) => {
        await tab.run(`{ const it = document.getElementById('${id}');
            it.focus(); it.select(); }`);
        await tab.send('Input.insertText', { text });
    };
    const key = async (name, code) => {
        for (const kind of ['keyDown', 'keyUp'])
            await tab.send('Input.dispatchKeyEvent', { type: kind, key: name,
                code: name, windowsVirtualKeyCode: code,
                text: name === 'Enter' && kind === 'keyDown' ? '\r' : undefined });
    };
    return { ...tab, until, type, key, start: () => tab.go(setup.url + path) };
}

const focus = (page) => page.run('document.activeElement.id');
const text = (page, id) =>
    page.run(`document.getElementById('${id}').textContent`);
const says = (page, what) =>
    page.until(`document.getElementById('message').textContent
        .startsWith(${JSON.stringify(what)})`);

async function byToken(id, options) {
    ctl('user', 'add', setup.org, id, '--first-name', 'Gigi', '--last-name', 'G');
    const page = await open('/profile/', options);
    await page.start();
    await page.until(`document.activeElement.id === 'token'`);
    await page.type('token', ctl('token', 'add', id));
    await page.key('Enter', 13);
    await page.until(`!document.getElementById('profile').hidden`);
    return page;
}

try {
    const page = await byToken('ann');
    ok(await page.run(`document.getElementById('token').value === ''
        && localStorage.length + sessionStorage.length === 0
        && document.cookie === '' && !location.search && !location.hash`),
    'a token signs in, and is in no storage and no address');
    await page.type('displayName', 'Ann the First');
    await page.key('Enter', 13);
    await says(page, 'Saved.');
    ok(ctl('user', 'get', setup.org, 'ann').includes('Ann the First'),
        'by keyboard alone: what is typed is saved');
    await page.key('Enter', 13);
    await says(page, 'There is nothing to save');
    ok(true, 'saving without a change is told kindly');

    await page.type('firstName', 'x'.repeat(201));
    await page.key('Enter', 13);
    await says(page, 'Please look');
    is([await focus(page), await text(page, 'firstName-error')],
        ['firstName', 'Enter 1 to 200 characters.'],
        'an error stands at its field, which has the focus');
    await page.type('firstName', 'Mine');

    ctl('user', 'set', setup.org, 'ann', '--first-name', 'Theirs');
    await page.key('Enter', 13);
    await page.until(`!document.getElementById('conflict').hidden`);
    is(await page.run(`[...document.querySelectorAll('#choices b')]
        .map((b) => b.textContent)`), ['Mine', 'Theirs'],
    'a conflict shows both values');
    await page.run(`document.querySelector('#conflict button').click()`);
    await says(page, 'Saved.');
    ok(ctl('user', 'get', setup.org, 'ann').includes('Mine'),
        'the chosen value is saved');

    await page.type('nickName', 'Kept');
    ctl('token', 'revoke', '--user', 'ann');
    await page.key('Enter', 13);
    await page.until(`document.activeElement.id === 'token'`);
    is(await page.run(`document.getElementById('nickName').value`), 'Kept',
        'a session that ended keeps what was typed');
    await page.type('token', ctl('token', 'add', 'ann'));
    await page.key('Enter', 13);
    await says(page, 'Saved.');
    ok(ctl('user', 'get', setup.org, 'ann').includes('Kept'),
        'it is saved after a new sign-in');
    is(await page.run('violations'), [], 'nothing violates the policy');

    const small = await byToken('bea', { language: 'de', width: 360 });
    ok(await small.run('document.documentElement.scrollWidth <= 360'),
        'a screen of 360 pixels needs no scrolling to the side');
    is(await text(small, 'save'), 'Speichern', 'German is spoken to Germans');

    const basic = await open('/basic/profile/');
    await basic.send('Fetch.enable', { handleAuthRequests: true });
    basic.on('Fetch.requestPaused', ({ requestId }) =>
        basic.send('Fetch.continueRequest', { requestId }));
    basic.on('Fetch.authRequired', ({ requestId }) =>
        basic.send('Fetch.continueWithAuth', { requestId,
            authChallengeResponse: { response: 'ProvideCredentials',
                username: 'by-basic', password: 'secret' } }));
    await basic.start();
    await basic.until(`document.getElementById('firstName').value === 'Gigi'`);
    ok(true, 'the browser signs in by Basic, below a prefix');
} finally {
    await chromium.close();
}
done();
