import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * Compiles a project that uses the packed package, strictly and with its declarations checked, for
 * each `module` setting. The project sees only what a user has: the package, the peers and the types
 * of Node. Part of `npm run test:package`.
 */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
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
const SOURCE = `
import { context } from '@opentelemetry/api';
import {
  AsyncHooksContextManager, AsyncResourceTracer, createDelivery, getInstrumentations,
  OperationResource, start, wrap, type Clew, type StartOptions,
} from 'clew';
import { traceTest, type TestTrace } from 'clew/testing';

const options: StartOptions = { serviceName: 'shop', instrumentations: getInstrumentations() };
const clew: Clew = start(options);
context.setGlobalContextManager(new AsyncHooksContextManager().enable());
const trace: Promise<TestTrace<number>> = traceTest(() => 7);
void trace.then((found) => found.hasOneRoot().result.toFixed());
console.log(AsyncResourceTracer, createDelivery, OperationResource, wrap, clew.problems.length);
// @ts-expect-error: an option that there is not
start({ service: 'shop' });
`;
const SDK_SOURCE = `
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { createDelivery, start } from 'clew';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

start().addSpanProcessor(new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() }));
new BasicTracerProvider({ spanProcessors: [createDelivery()] });
`;

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
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

function install(names: readonly string[]): void {
  for (const name of names) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
}

function compile(file: string, source: string, options: { module: string }): void {
  writeFileSync(join(folder, file), source);
  const compilerOptions = {
    ...options,
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
  };
  const project = { compilerOptions, files: [file] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  const { status, stdout } = spawnSync(tsc, ['-p', folder], { encoding: 'utf8', cwd: folder });
  console.log(`${status === 0 ? 'ok' : 'FAILED'}: module ${options.module}, ${file}`);
  if (status === 0) return;
  console.log(stdout);
  failed++;
}

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
