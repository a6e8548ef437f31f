// agent.mjs -- a program in another language that makes calls for us. Requests
// and answers are lines of JSON; "id" says which answer is to which request.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// Debian's own, which have the packages that Debian has for them.
const interpreters = {
    py: '/usr/bin/python3', rb: '/usr/bin/ruby', php: '/usr/bin/php',
};

// Start agents/FILE with ARGS.
export function startAgent(file, ...args) {
    const path = fileURLToPath(new URL(`../agents/${file}`, import.meta.url));
    const child = spawn(interpreters[file.replace(/^.*\./, '')],
        [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const waiting = new Map();
    const ended = new Promise((resolve) => child.on('close', resolve)
        .on('error', resolve));
    let count = 0;

    const tell = (message) => child.stdin.write(`${JSON.stringify(message)}\n`);
    createInterface({ input: child.stdout }).on('line', (line) => {
        const answer = JSON.parse(line);
        waiting.get(answer.id).resolve(answer);
        waiting.delete(answer.id);
    });
    child.stdin.on('error', () => {});
    ended.then((how) => {
        for (const { reject } of waiting.values())
            reject(new Error(`${file} ended: ${how}`));
    });
    return {
        // Resolves to the answer to REQUEST; SIGNAL has the agent cancel it.
        ask: (request, signal) => new Promise((resolve, reject) => {
            const id = ++count;
            waiting.set(id, { resolve, reject });
            tell({ id, ...request });
            signal?.addEventListener('abort', () => tell({ cancel: id }));
        }),
        close: () => {
            child.stdin.end();
            return ended;
        },
    };
}
