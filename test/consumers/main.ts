import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { marked } from 'marked';

import { blocksOf, ROOT } from '../documents/support/page.ts';
import { MODULES } from '../support/modules.ts';

/*
 * Compiles a project that uses the packed package, strictly and with its declarations checked, for
 * each `module` setting. The project sees only what a user has: the package, the peers and the types
 * of Node. After that, the code of all documents that imports the package, with less strictness.
 * Part of `npm run test:package`.
 */
const INSTALLED = ['@opentelemetry/api', '@types/node', 'undici-types'];
/** What some have beside it: an SDK of their own, whose types fit ours. */
const SDK = [
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/sdk-trace',
  '@opentelemetry/core',
  '@opentelemetry/resources',
  '@opentelemetry/semantic-conventions',
];
const PROJECTS = [
  { module: 'nodenext', file: 'app.mts' },
  { module: 'nodenext', file: 'app.cts' },
  { module: 'esnext', moduleResolution: 'bundler', file: 'app.ts' },
  { module: 'preserve', file: 'app.ts' },
] as const;
const SOURCE = readFileSync(join(ROOT, 'test/consumers/public-types.ts'), 'utf8')
  .replace("'../../src/index.ts'", "'clew'")
  .replace("'../../src/testing/index.ts'", "'clew/testing'");
const SDK_SOURCE = `
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { createDelivery, start } from 'clew';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

start().addSpanProcessor(new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() }));
new BasicTracerProvider({ spanProcessors: [createDelivery()] });
`;

/**
 * What a document leaves to its reader: names, modules and globals of test runners that are not there,
 * and values whose type would be known where they come from.
 */
const LEFT_TO_READERS = /error TS(?:2304|2307|2339|2552|2580|2582|2593|7016|18046):/;

const folder = mkdtempSync(join(tmpdir(), 'clew-consumers-'));
let failed = 0;
try {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'clew'), { recursive: true });
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const tarball = run('npm', pack, ROOT).trim().split('\n').at(-1) ?? '';
  run(
    'tar',
    ['-xzf', join(folder, tarball), '--strip-components=1', '-C', join(modules, 'clew')],
    folder,
  );
  install(INSTALLED);
  for (const { file, ...options } of PROJECTS) compile(file, SOURCE, options);
  install(SDK);
  compile('sdk.mts', SDK_SOURCE, { module: 'nodenext' });
  compileDocuments();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

function install(names: readonly string[]): void {
  for (const name of names) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    const folders = [MODULES, join(ROOT, 'node_modules')];
    const from = folders.find((one) => existsSync(join(one, name)));
    if (from === undefined) throw new Error(`${name} is not installed`);
    symlinkSync(join(from, name), link);
  }
}

function compile(file: string, source: string, options: { module: string }): void {
  writeFileSync(join(folder, file), source);
  const errors = errorsOf([file], { ...options, strict: true, skipLibCheck: false });
  report(`module ${options.module}, ${file}`, errors);
}

function compileDocuments(): void {
  const places = new Map<string, string>();
  for (const page of run('git', ['ls-files', '*.md'], ROOT).trim().split('\n')) {
    if (page === 'CHANGELOG.md') continue;
    const blocks = blocksOf(marked.lexer(readFileSync(join(ROOT, page), 'utf8')));
    for (const { language, text } of blocks) {
      if (!/^(?:js|ts)$/.test(language) || !/ from 'clew(?:\/\w+)?';/.test(text)) continue;
      const file = `block-${places.size}.mts`;
      writeFileSync(join(folder, file), text);
      places.set(file, page);
    }
  }
  const options = { module: 'nodenext', strict: false, skipLibCheck: true };
  const errors = errorsOf([...places.keys()], options).filter(
    (line) => !LEFT_TO_READERS.test(line),
  );
  const named = errors.map((line) =>
    line.replace(/^block-\d+\.mts/, (file) => `${places.get(file)}, a block, `),
  );
  report(`${places.size} blocks of code in documents`, named);
}

/** What the compiler says of `files`, an error a line. */
function errorsOf(files: readonly string[], options: object): string[] {
  const compilerOptions = { ...options, target: 'es2023', noEmit: true, types: ['node'] };
  const project = { compilerOptions, files };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  const args = ['-p', folder, '--pretty', 'false'];
  const { status, stdout } = spawnSync(tsc, args, { encoding: 'utf8', cwd: folder });
  return status === 0 ? [] : stdout.split('\n').filter((line) => /error TS/.test(line));
}

function report(what: string, errors: readonly string[]): void {
  console.log(`${errors.length === 0 ? 'ok' : 'FAILED'}: ${what}`);
  for (const error of errors) console.log(error);
  if (errors.length > 0) failed++;
}

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
