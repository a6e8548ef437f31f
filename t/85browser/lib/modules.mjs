// modules.mjs -- the import map by which a page finds the packages of npm: a
// browser knows none of package.json.
import { readFileSync } from 'node:fs';

const packages = [
    '@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-web',
    '@zitadel/proto', 'grpc-web',
];

// The map's text, where the packages are below BASE.
export function importMap(base) {
    const imports = {};
    for (const name of packages) {
        const info = JSON.parse(readFileSync(
            new URL(`../../../node_modules/${name}/package.json`,
                import.meta.url)));
        const exported = info.exports ?? { '.': { import: info.module } };
        for (const [path, { import: file }] of Object.entries(exported)) {
            // "./zitadel/*.js" is a folder; what has no ".js" is not imported.
            if (path.includes('*') && !path.endsWith('*.js'))
                continue;
            const from = (name + path.slice(1)).replace('*.js', '');
            imports[from] = `${base}/${name}/${file.replace('*.js', '')}`;
        }
    }
    return JSON.stringify({ imports });
}
