/**
 * `npm run bundle` makes what an image holds: one file for each service, with everything that it imports in it, in
 * `dist/images/<service>/`; `npm run bundle -- gateway` only that one. Beside the gateway's file lie the assets of its
 * reference, which it reads when it is asked for them.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { workspaceRoot } from '../workspace.ts';
import { SERVICES, imageFolder } from './services.ts';

/** Files of packages that a service reads at run time, by service. */
const ASSETS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  gateway: { 'swagger-ui-dist': ['package.json', 'LICENSE', 'swagger-ui-bundle.js', 'swagger-ui.css'] },
};

/** What the drivers would use if somebody had installed it; none of it is needed. */
const OPTIONAL = [
  '@aws-sdk/credential-providers',
  '@mongodb-js/zstd',
  'gcp-metadata',
  'kerberos',
  'mongodb-client-encryption',
  'snappy',
  'socks',
];

/** CommonJS modules within the file find what they expect of theirs. */
const BANNER = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' } },
});
const unknown = positionals.filter((name) => !SERVICES.some((service) => service === name));
if (unknown.length > 0) {
  console.error(`no such service: ${unknown.join(', ')}; there are ${SERVICES.join(', ')}`);
  process.exit(2);
}

for (const service of SERVICES.filter((name) => positionals.length === 0 || positionals.includes(name))) {
  const folder = values.out === undefined ? imageFolder(service) : join(values.out, service);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(workspaceRoot, 'apps', service, 'src/main.ts')],
    outfile: join(folder, 'main.js'),
    absWorkingDir: workspaceRoot,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    conditions: ['@posthorn/source'],
    external: OPTIONAL,
    banner: { js: BANNER },
    // Stack traces with the names that the sources have.
    keepNames: true,
    metafile: true,
    legalComments: 'eof',
    logLevel: 'warning',
  });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  copyAssets(service, folder);
  const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  console.log(`${service.padEnd(12)} ${(bytes / 2 ** 20).toFixed(1)} MiB  ${join(folder, 'main.js')}`);
}

function copyAssets(service: string, folder: string): void {
  const require = createRequire(join(workspaceRoot, 'apps', service, 'src/main.ts'));
  for (const [name, files] of Object.entries(ASSETS[service] ?? {})) {
    const from = dirname(require.resolve(`${name}/package.json`));
    for (const file of files) cpSync(join(from, file), join(folder, 'node_modules', name, file));
  }
}
