// chromium.mjs -- Debian's Chromium without a window, which its DevTools protocol
// has open pages and run scripts there. Messages are JSON, ended by a NUL, on two
// pipes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// How long a page, or a script in it, may take, in milliseconds.
const PATIENCE = 60000;

const OPTIONS = [
    '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
    '--disable-dev-shm-usage', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--remote-debugging-pipe',
];

// Start Chromium, with a profile of its own: { tab, open, close }.
export function startChromium() {
    const home = mkdtempSync(join(tmpdir(), 'chromium-'));
    const child = spawn('/usr/bin/chromium',
        [...OPTIONS, `--user-data-dir=${home}`], {
            env: { ...process.env, HOME: home },
            stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
        });
    const [, , , to, from] = child.stdio;
    const waiting = new Map();
    const listeners = new Set();
    let count = 0;
    let unread = '';

    const ended = new Promise((resolve) => child.on('close', resolve)
        .on('error', resolve));
    const gone = ended.then((how) => {
        throw new Error(`Chromium ended: ${how}`);
    });
    gone.catch(() => {});
    to.on('error', () => {});

    function receive(message) {
        const { id, result, error } = message;
        if (!id)
            return listeners.forEach((listen) => listen(message));
        const { resolve, reject } = waiting.get(id);
        waiting.delete(id);
        return error ? reject(new Error(error.message)) : resolve(result);
    }
    from.setEncoding('utf8').on('data', (text) => {
        const messages = (unread + text).split('\0');
        unread = messages.pop();
        messages.forEach((line) => receive(JSON.parse(line)));
    });

    // What PROMISE becomes, unless Chromium ends or that takes too long.
    async function within(promise, what) {
        let timer;
        const late = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`${what} takes too long`)),
                PATIENCE);
        });
        try {
            return await Promise.race([promise, gone, late]);
        } finally {
            clearTimeout(timer);
        }
    }

    function send(method, params = {}, sessionId = undefined) {
        const id = ++count;
        const answer = new Promise((resolve, reject) =>
            waiting.set(id, { resolve, reject }));
        to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        return within(answer, method);
    }

    // Call LISTENER with the parameters of each METHOD event of a session, until
    // the function that is returned is called.
    function listen(method, sessionId, listener) {
        const receiver = (message) => {
            if (message.method === method && message.sessionId === sessionId)
                listener(message.params);
        };
        listeners.add(receiver);
        return () => listeners.delete(receiver);
    }

    function event(method, sessionId) {
        return within(new Promise((resolve) => {
            const stop = listen(method, sessionId, (params) => {
                stop();
                resolve(params);
            });
        }), method);
    }

    // A new tab:
    //   send(METHOD, PARAMETERS)   a command of the DevTools protocol
    //   on(METHOD, LISTENER)       for each such event; returns what ends it
    //   go(URL)                    open it, and wait until it is loaded
    //   run(SCRIPT)                what it, or the promise that it returns, comes to
    async function tab() {
        const { targetId } =
            await send('Target.createTarget', { url: 'about:blank' });
        const { sessionId } =
            await send('Target.attachToTarget', { targetId, flatten: true });
        const command = (method, params) => send(method, params, sessionId);
        await command('Page.enable');

        async function go(url) {
            const loaded = event('Page.loadEventFired', sessionId);
            await command('Page.navigate', { url });
            await loaded;
        }

        async function run(expression) {
            const { result, exceptionDetails } =
                await command('Runtime.evaluate',
                    { expression, awaitPromise: true, returnByValue: true });
            if (exceptionDetails)
                throw new Error(exceptionDetails.exception?.description
                    ?? exceptionDetails.text);
            return result.value;
        }

        return {
            send: command,
            on: (method, listener) => listen(method, sessionId, listener),
            go,
            run,
        };
    }

    // Open URL: a function that runs a script there and returns what it, or the
    // promise that it returns, comes to.
    async function open(url) {
        const { go, run } = await tab();
        await go(url);
        return run;
    }

    async function close() {
        send('Browser.close').catch(() => {});
        await ended;
        rmSync(home, { recursive: true, force: true, maxRetries: 10 });
    }

    process.on('exit', () => child.kill('SIGKILL'));
    return { tab, open, close };
}
