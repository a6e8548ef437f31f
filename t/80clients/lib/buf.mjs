// buf.mjs -- runs buf, and has it compile the .proto files that we install.
import { execFileSync, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

import { setup } from './setup.mjs';

const program = createRequire(import.meta.url).resolve('@bufbuild/buf/bin/buf');

// Resolves to { status, out, err } when buf has ended.
export function buf(...args) {
    return new Promise((resolve) => {
        const said = { out: '', err: '' };
        const child = spawn(process.execPath, [program, ...args],
            { stdio: ['ignore', 'pipe', 'pipe'] });
        child.stdout.setEncoding('utf8').on('data', (text) => said.out += text);
        child.stderr.setEncoding('utf8').on('data', (text) => said.err += text);
        child.on('close', (status) => resolve({ status, ...said }));
    });
}

// The types in our .proto files, as @bufbuild/protobuf has them.
export function ourTypes() {
    const bytes = execFileSync(process.execPath, [program, 'build',
        setup.protos, '--as-file-descriptor-set', '-o', '-#format=binpb']);
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
}
