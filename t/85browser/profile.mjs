// profile.mjs -- people use the profile page in Chromium.
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
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

async function byToken(id, options = {}) {
    ctl('user', 'add', setup.org, id, '--first-name', 'Gigi', '--last-name', 'G');
    const page = await open(`${options.prefix ?? ''}/profile/`, options);
    await page.start();
    await page.until(`document.activeElement.id === 'token'`);
    await options.before?.(page);
    await page.type('token', ctl('token', 'add', id));
    await page.key('Enter', 13);
    await page.until(`!document.getElementById('profile').hidden`);
    return page;
}

const enter = (page) => page.key('Enter', 13);
const value = (page, id) =>
    page.run(`document.getElementById('${id}').value`);
const shows = (page, id) =>
    page.until(`!document.getElementById('${id}').hidden`);
const stored = (id, what) => ctl('user', 'get', setup.org, id).includes(what);

// The texts of the page, in English and in German.
const script = readFileSync(`${setup.page}/profile.js`, 'utf8');
const german = Function(
    `return ${/^const GERMAN = (\{.*?^\});/ms.exec(script)[1]}`)();

// What the English texts, with any words in them, look like.
const isEnglish = Object.entries(german)
    .filter(([english, own]) => english !== own)
    .map(([english]) => RegExp(`^${english.replace(/[.()]/g, '\\$&')
        .replace(/\{\d\}/g, '.*')}$`));

// The texts that the script says itself.
function saidTexts() {
    const texts = [];
    for (const { index } of script.matchAll(/\bsay\((?!text)/g)) {
        let depth = 0;
        let end = index;
        const code = script.slice(index, index + 400)
            .replace(/'[^']*'|[()]/g, (part, at) => {
                depth += part === '(' ? 1 : part === ')' ? -1 : 0;
                if (depth === 0 && end === index)
                    end = index + at;
                return part;
            });
        const call = code.slice(0, end - index).replace(/'\s*\+\s*'/g, '');
        texts.push(...[...call.matchAll(/'([^']+)'/g)].map(([, said]) => said)
            .filter((said) => /^[A-Z(].*[a-z]/.test(said)));
    }
    return texts;
}

// A script: each text that a page shows, the least contrast among them with what
// has it, the controls that are less than 44 pixels high, and how wide the page is.
const SEEN = `(() => {
    const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => rgb(colour).slice(0, 3)
        .map((part) => part / 255)
        .map((part) => part <= .04045 ? part / 12.92
            : ((part + .055) / 1.055) ** 2.4)
        .reduce((sum, part, i) => sum + part * [.2126, .7152, .0722][i], 0);
    const behind = (it) => {
        const colour = getComputedStyle(it).backgroundColor;
        return rgb(colour)[3] === 0 && it.parentElement
            ? behind(it.parentElement) : colour;
    };
    const contrast = (it) => {
        const [a, b] = [light(getComputedStyle(it).color), light(behind(it))];
        return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    };
    const texts = [];
    const all = [];
    for (const it of document.querySelectorAll('main *')) {
        if (!it.checkVisibility() || it.closest('noscript'))
            continue;
        const own = [...it.childNodes].filter(({ data }) => data?.trim());
        if (own.length || /^(INPUT|SELECT)$/.test(it.tagName))
            all.push([contrast(it), it.id || it.textContent.trim()]);
        texts.push(...own.map(({ data }) => data.trim().replace(/\\s+/g, ' ')));
        if (it.tagName === 'SELECT')
            texts.push(...[...it.options].map(({ text }) => text));
    }
    const low = [...document.querySelectorAll('button, a, input, select')]
        .filter((it) => it.checkVisibility())
        .map((it) => it.type === 'radio' ? it.closest('label') : it)
        .filter((it) => it.getBoundingClientRect().height < 44)
        .map((it) => it.id || it.textContent.trim());
    return { texts, least: all.sort(([a], [b]) => a - b)[0], low,
        width: document.documentElement.scrollWidth };
})()`;

// What PAGE is like in STATE: German, and 360 pixels wide.
async function look(page, state) {
    for (const scheme of ['light', 'dark']) {
        await page.send('Emulation.setEmulatedMedia', { features:
            [{ name: 'prefers-color-scheme', value: scheme }] });
        const { texts, least, low, width } = await page.run(SEEN);
        ok(least[0] >= 4.5, `${state}, ${scheme}: texts can be read; least so: ${
            least[0].toFixed(1)}, ${least[1]}`);
        if (scheme === 'dark')
            continue;
        ok(width <= 360, `${state}: 360 pixels are enough`);
        is(low, [], `${state}: a finger finds each control`);
        is(texts.filter((seen) => isEnglish.some((like) => like.test(seen))), [],
            `${state}: no text is English`);
    }
    ok(await page.run(`matchMedia('(prefers-color-scheme: dark)').matches`),
        `${state}: the second of them was dark`);
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

    await page.run(`{ const script = document.createElement('script');
        script.textContent = 'globalThis.hasRun = true';
        document.head.append(script); }`);
    await page.until('violations.length > 0');
    is(await page.run('[globalThis.hasRun ?? false, ...violations]'),
        [false, 'script-src-elem'], 'the policy lets no inline script run');

    // In German, on a small screen.
    const written = await page.run(`fetch('index.html')
        .then((answer) => answer.text()).then((html) => {
            const page = new DOMParser().parseFromString(html, 'text/html');
            const roots = [page.documentElement,
                ...[...page.querySelectorAll('template')].map((it) => it.content)];
            return roots.flatMap((root) => {
                const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
                const texts = [];
                while (walker.nextNode())
                    texts.push(walker.currentNode.data.trim().replace(/\\s+/g, ' '));
                return texts;
            }).filter((text) => text !== '');
        })`);
    const used = [...new Set([...written, ...saidTexts()])].sort();
    is(used, Object.keys(german).sort(), 'each text has its German');

    const long = 'Donaudampfschifffahrt'.repeat(9);
    const small = await byToken('bea', { language: 'de', width: 360,
        before: async (blank) => {
            await look(blank, 'sign-in');
            await blank.type('token', 'no token');
            await enter(blank);
            await look(blank, 'a bad token');
        } });
    is(await small.run('[document.documentElement.lang, document.title]'),
        ['de', 'Ihr Profil'], 'German is spoken to Germans');
    await look(small, 'form');
    await small.type('firstName', '');
    await small.run(`{ document.getElementById('firstName').value = '';
        document.getElementById('preferredLanguage').value = ''; }`);
    await small.type('displayName', 'x'.repeat(201));
    await small.run(`document.getElementById('language-tag').value = 'n o'`);
    await enter(small);
    await says(small, 'Bitte sehen Sie');
    await look(small, 'errors');
    await small.type('firstName', long);
    await small.type('displayName', 'B');
    await small.run(`document.getElementById('preferredLanguage').value = 'fr'`);
    ctl('user', 'set', setup.org, 'bea', '--first-name', 'Theirs',
        '--nick-name', long);
    await small.type('nickName', 'Mine');
    await enter(small);
    await shows(small, 'conflict');
    await look(small, 'conflict');

    // Which control each Tab comes to: name and value, or text.
    const tabs = [];
    for (let i = 0; i < 7; i++) {
        await small.key('Tab', 9);
        const on = await small.run(`{ const it = document.activeElement;
            it.name ? it.name + ' ' + it.value : it.textContent }`);
        tabs.push(on);
        if (on === 'choice-firstName mine')
            await small.key('ArrowDown', 40);
        if (on === 'Diese Auswahl speichern')
            break;
    }
    is(tabs, [...['firstName', 'displayName', 'nickName', 'preferredLanguage']
        .map((name) => `choice-${name} mine`), 'Diese Auswahl speichern'],
    'Tab comes to each choice of a conflict, and then to the button');
    await enter(small);
    await says(small, 'Gespeichert.');
    is([stored('bea', 'Theirs'), stored('bea', 'Mine'), stored('bea', 'fr')],
        [true, true, true], 'the choices of the keyboard are saved');
    await look(small, 'saved');

    // A session that ended, and somebody else.
    ctl('user', 'add', setup.org, 'cat', '--first-name', 'Cat', '--last-name', 'C');
    await small.type('nickName', 'Of Bea');
    ctl('token', 'revoke', '--user', 'bea');
    await enter(small);
    await shows(small, 'sign-in');
    await small.until(`document.activeElement.id === 'token'`);
    await look(small, 'ended');
    await small.type('token', ctl('token', 'add', 'cat'));
    await enter(small);
    await says(small, 'Sie sind jetzt als jemand anderes');
    is([await value(small, 'firstName'), await value(small, 'nickName'),
        stored('cat', 'Of Bea'), stored('bea', 'Of Bea')],
    ['Cat', '', false, false],
    'what one person typed is not saved for the next');
    await look(small, 'somebody else');

    // A server that does not answer, or not now.
    await small.send('Network.enable');
    const connect = (offline) =>
        small.send('Network.emulateNetworkConditions', { offline, latency: 0,
            downloadThroughput: -1, uploadThroughput: -1 });
    await small.type('nickName', 'Offline');
    await connect(true);
    await enter(small);
    await says(small, 'Der Server ist nicht erreichbar.');
    is(await value(small, 'nickName'), 'Offline', 'offline: what was typed stays');
    await look(small, 'offline');
    await connect(false);
    await says(small, 'Gespeichert.');
    ok(stored('cat', 'Offline'), 'and is saved when the browser is online');

    await small.send('Fetch.enable', { patterns: [{ requestStage: 'Response' }] });
    const over = small.on('Fetch.requestPaused', ({ requestId, request }) =>
        small.send(...request.method === 'PUT'
            ? ['Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' }]
            : ['Fetch.continueRequest', { requestId }]));
    await small.type('nickName', 'Unanswered');
    await enter(small);
    await says(small, 'Der Server ist nicht erreichbar.');
    ok(stored('cat', 'Unanswered'), 'an answer is lost after the change');
    over();
    await small.send('Fetch.disable');
    await small.run(`document.getElementById('again').click()`);
    await says(small, 'Gespeichert.');
    is(await small.run(`document.getElementById('conflict').hidden`), true,
        'trying again finds the change, and no conflict');

    const folder = setup.store.replace('lmdb:', '');
    await small.type('nickName', 'Later');
    renameSync(folder, `${folder}.away`);
    try {
        await enter(small);
        await says(small, 'Der Server kann das im Moment nicht tun. Neuer Versuch in');
        is(await value(small, 'nickName'), 'Later',
            'a store that is away: what was typed stays');
        await look(small, 'not now');
    } finally {
        renameSync(`${folder}.away`, folder);
    }
    await says(small, 'Gespeichert.');
    ok(stored('cat', 'Later'), 'and is saved when the store is back');

    // Refusals.
    const reader = await byToken('dan', { prefix: '/read' });
    await reader.type('nickName', 'D');
    await enter(reader);
    await says(reader, 'You may not change your profile here.');
    is(await value(reader, 'nickName'), 'D',
        'one who may only read is told so, and nothing is lost');
    const few = await byToken('eve', { prefix: '/few' });
    await few.run(`document.getElementById('preferredLanguage').value = 'fr'`);
    await few.type('nickName', 'E');
    await enter(few);
    await says(few, 'Please look');
    is([await focus(few), await text(few, 'preferredLanguage-error')],
        ['preferredLanguage',
            'This language cannot be chosen here. These can: German, English'],
        'a language that the server refuses is told at its field');

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

    // A cookie of the site's own login.
    const arrives = async (tab, script) => {
        for (let left = 1000; left; left--) {
            if (await tab.run(script).catch(() => false))
                return;
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        throw new Error(`${script} in: ${
            await tab.run('location.href + document.body.innerText')}`);
    };
    const login = async (tab, who) => {
        await arrives(tab, `document.title === 'Sign in'`);
        await tab.run(`{ const { httpd_username, httpd_password } = document.forms[0];
            httpd_username.value = '${who}';
            httpd_password.value = 'secret';
            setTimeout(() => document.forms[0].submit()); }`);
        await arrives(tab, `document.getElementById('firstName').value !== ''`);
    };
    for (const [kind, how] of [['cookie', 'a 401'], ['redirect', 'a redirect']]) {
        const who = `by-${kind}`;
        const site = await open(`/${kind}/profile/`);
        await site.start();
        await login(site, who);
        is(await site.run('location.pathname'), `/${kind}/profile/`,
            `${how}: the site's login leads to the page, which knows the person`);
        await site.type('displayName', 'By cookie');
        await enter(site);
        await says(site, 'Saved.');
        ok(stored(who, 'By cookie'), `${how}: the cookie is enough to save`);

        await site.type('nickName', 'Kept');
        await site.send('Network.clearBrowserCookies');
        await enter(site);
        await shows(site, 'sign-in');
        is([await focus(site), await value(site, 'nickName'),
            (await text(site, 'sign-in-why')).includes('You are signed out.'),
            await site.run(`document.getElementById('token').checkVisibility()`)],
        ['site', 'Kept', true, false],
        `${how}: a session that ended is told, and leads to the site's login`);
        const second = await open(
            new URL(await site.run(`document.getElementById('site').href`)).pathname);
        await second.start();
        await login(second, who);
        await site.run(`document.getElementById('go-on').click()`);
        await says(site, 'Saved.');
        ok(stored(who, 'Kept'), `${how}: what was typed is saved after the login`);
        is(await site.run('violations'), [], `${how}: nothing violates the policy`);
    }

    // Another origin of the same site, to which browsers send the cookie, as
    // another port is none to them: it can change nothing.
    const thief = await chromium.open(`${setup.elsewhere}/login/cookie.html`);
    const attempt = (path, options) => thief(`fetch(${
        JSON.stringify(setup.url + path)}, { credentials: 'include', ${options} })
        .then(({ type, status }) => type + ' ' + status, ({ name }) => name)`);
    const mine = '/redirect/auth/v1/users/me/profile';
    const rpc = '/redirect/zitadel.auth.v1.AuthService/UpdateMyProfile';
    const json = `'{"firstName":"Thief","lastName":"T","displayName":"T"}'`;
    // What the log says of a request by METHOD for PATH?QUERY, once it is there.
    const logged = async (method, path, query) => {
        const key = ` ${method} ${path}?${query} `;
        for (let left = 1000; left; left--) {
            const line = readFileSync(setup.log, 'utf8').split('\n')
                .find((candidate) => candidate.includes(key));
            if (line)
                return line.split(key)[1];
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        throw new Error(`no${key}in ${setup.log}`);
    };
    is(await attempt(`${mine}?read`, `mode: 'no-cors'`), 'opaque 0',
        'another origin: a page may ask, but reads no answer');
    is(await logged('GET', mine, 'read'), 'by-redirect 200',
        'another origin: the cookie came with that');
    const before = ctl('user', 'get', setup.org, 'by-redirect');
    for (const [what, options] of [
        ['a PUT', `method: 'PUT', body: ${json}`],
        ['a PUT of a text', `method: 'PUT', body: ${json},
            headers: { 'Content-Type': 'text/plain' }`],
        ['a PUT of JSON', `method: 'PUT', body: ${json},
            headers: { 'Content-Type': 'application/json' }`],
    ])
        is(await attempt(mine, options), 'TypeError',
            `another origin: the browser does not make ${what}`);
    is(await attempt(rpc, `method: 'POST', body: ${json},
        headers: { 'Content-Type': 'application/json' }`), 'TypeError',
    'another origin: the browser does not make an RPC of JSON');
    for (const [what, query, body] of [
        ['without a type', 'none', `new Blob([${json}])`],
        ['of a text', 'text', json],
        ['of a form', 'form', `new URLSearchParams({ firstName: 'Thief' })`],
    ]) {
        await attempt(`${rpc}?${query}`, `mode: 'no-cors', method: 'POST', body: ${body}`);
        is((await logged('POST', rpc, query)).split(' ').at(-1), '415',
            `another origin: an RPC ${what} is refused`);
    }
    is(ctl('user', 'get', setup.org, 'by-redirect'), before,
        'another origin: nothing was changed');
} finally {
    await chromium.close();
}
done();
