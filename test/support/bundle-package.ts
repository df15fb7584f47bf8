import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, type Plugin } from 'esbuild';

import { bundlePage } from './bundle-page.ts';
import { redisCommands } from './redis-commands.ts';

/*
 * Puts the compiled files together as they are published: few files, which Node loads sooner than
 * many, side by side in `build/package`. Dependencies stay apart, but for names of attributes,
 * which are constants. `npm run build` runs it after the compiler.
 */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FROM = join(ROOT, 'build/src');
const TO = join(ROOT, 'build/package');

/** What is imported from outside, and what a thread or a process begins with; named by its file. */
const ENTRIES: Record<string, string> = {
  index: 'index.js',
  testing: 'testing/index.js',
  cli: 'cli/main.js',
  register: 'register.js',
  start: 'start.js',
  'sender-thread': 'export/sender/sender-thread.js',
  loader: 'instrumentation/imports/loader.js',
  'run-preload': 'cli/run-preload.js',
  'doctor-preload': 'cli/doctor-preload.js',
  'doctor-attached': 'cli/attach/doctor-attached.js',
  'inspector-call': 'cli/attach/inspector-call.js',
  'embedded-postgresql': 'cli/demo/embedded-postgresql.js',
};

/**
 * Packages that become part of the files, with what of them is used: loading theirs one by one costs
 * more than all of ours. Those whose state others share, and those for few, stay packages.
 */
const INLINED =
  /^(?:@ioredis\/commands|@opentelemetry\/(?:core|resources|sdk-trace|semantic-conventions)|lru-cache|moo|semver)(?:\/|$)/;
const packagesApart: Plugin = {
  name: 'packages apart',
  setup: (bundle) => {
    bundle.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || INLINED.test(path) ? undefined : { path, external: true },
    );
  },
};

mkdirSync(TO, { recursive: true });
const { metafile } = await build({
  entryPoints: Object.entries(ENTRIES).map(([out, path]) => ({ out, in: join(FROM, path) })),
  outdir: TO,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Kept as it is written: Node asks for it where JSON is imported.
  supported: { 'import-attributes': true },
  plugins: [redisCommands, packagesApart],
  mainFields: ['module', 'main'],
  chunkNames: '[name]-[hash]',
  sourcemap: true,
  // The sources are in the package.
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
});
const inPage = await bundlePage(join(TO, 'view-page'));
writeFileSync(join(TO, 'LICENSES.txt'), licenses([...Object.keys(metafile.inputs), ...inPage]));
const files = readdirSync(FROM, { recursive: true, encoding: 'utf8' });
for (const file of files.filter((name) => name.endsWith('.cjs'))) {
  copyFileSync(join(FROM, file), join(TO, basename(file)));
}

// A file that is named by its URL is bundled only where it stands above.
for (const file of files.filter((name) => /\.c?js$/.test(name))) {
  const code = readFileSync(join(FROM, file), 'utf8');
  for (const [, named = ''] of code.matchAll(
    /(?:new URL\('\.\/|register\('\.\/|require\('\.\/|ownFile\('(?:[\w-]+\/)*)([\w-]+\.c?js)'/g,
  )) {
    if (!existsSync(join(TO, named))) {
      throw new Error(`${file} names ${named}, which is no entry of ${basename(TO)}`);
    }
  }
}

/** What the authors of the packages among `inputs` ask for: their licences. */
function licenses(inputs: readonly string[]): string {
  const folders = inputs
    .map((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0])
    .filter((folder) => folder !== undefined);
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const { name, version } = JSON.parse(
      readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
    ) as { name: string; version: string };
    const file = readdirSync(join(ROOT, folder)).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`${name} has no licence to be published with`);
    const text = readFileSync(join(ROOT, folder, file), 'utf8').trim();
    return `${name} ${version}\n\n${text}\n`;
  });
  return `Parts of these packages are in the files of this folder.\n\n${texts.join('\n\n')}`;
}
