// tap.mjs -- TAP for the programs in t/80clients.
import { isDeepStrictEqual } from 'node:util';

let count = 0;
let failed = 0;

// What prove shows only if it is asked to.
export function note(text) {
    console.log(`# ${text}`);
}

export function ok(passed, name) {
    console.log(`${passed ? 'ok' : 'not ok'} ${++count} - ${name}`);
    if (!passed)
        failed++;
    return passed;
}

export function is(got, want, name) {
    const show = (value) =>
        JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v));
    if (!ok(isDeepStrictEqual(got, want), name))
        console.error(`# ${name}\n#   got:  ${show(got)}\n#   want: ${show(want)}`);
}

export function done() {
    console.log(`1..${count}`);
    process.exitCode = failed ? 1 : 0;
}
