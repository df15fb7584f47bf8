import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { publishesCreated } from '../src/instrumentation/http/client/request-channels.ts';
import { REGISTER_URL, runNode } from './support/run-node.ts';

/*
 * What the preload loads into a program that uses nothing of it: each file costs the start of every
 * tool that `NODE_OPTIONS` reaches. A package or a number of files that is new here is a decision.
 */
const PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/core',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/semantic-conventions',
  'cjs-module-lexer',
  'es-module-lexer',
  'import-in-the-middle',
];
/**
 * On Node 20 and 22 some of them twice: the hooks of imports run in a thread, where they read manifests
 * and log by the same two files as the application's thread.
 */
const OWN_FILES = 40;
/** Bytes of them: what the compiler reads, used or not. A large one is a dependency that came along. */
const OWN_BYTES = 1_350_000;
/**
 * Modules of Node's own that take milliseconds or megabytes; `tls` comes with `https`. `crypto` would be
 * one, but an SDK that is installed, as here, loads it.
 */
const HEAVY = ['https', 'tls', 'http2', 'inspector', 'internal/deps/undici/undici'];

describe('the preload of a program that uses nothing of it', function () {
  this.timeout(120_000);
  let loaded: string[];
  let builtins: string[];

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
    // Node's own coverage names every script that ran.
    const env = { NODE_V8_COVERAGE: folder, OTEL_TRACES_EXPORTER: 'none' };
    const program = 'console.log(JSON.stringify(process.moduleLoadList))';
    const { code, stdout } = await runNode(['--import', REGISTER_URL, '-e', program], { env });
    assert.equal(code, 0);
    builtins = JSON.parse(stdout) as string[];
    loaded = readdirSync(folder).flatMap((file) => {
      const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
        result: { url: string }[];
      };
      return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
    });
    rmSync(folder, { recursive: true });
  });

  it('loads few files of its own', () => {
    const own = loaded.filter((url) => url.includes('/build/package/'));
    assert.ok(own.length > 0);
    assert.ok(own.length <= OWN_FILES, `${own.length} files: ${own.join(', ')}`);
  });

  it('loads no more of them than it did', () => {
    const sizes = [...new Set(loaded)]
      .filter((url) => url.includes('/build/package/'))
      .map((url) => statSync(new URL(url)).size);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(bytes <= OWN_BYTES, `${bytes} bytes`);
  });

  it('leaves what is heavy in Node to programs that use it', () => {
    const found = HEAVY.filter((name) => builtins.includes(`NativeModule ${name}`));
    assert.ok(builtins.includes('NativeModule http'));
    // Where Node does not say when a request is made, the functions of both modules are replaced.
    assert.deepEqual(found, publishesCreated() ? [] : ['https', 'tls']);
  });

  it('loads no package that is not known here', () => {
    const packages = loaded
      .map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1])
      .filter((name) => name !== undefined);
    const unknown = [...new Set(packages)].filter((name) => !PACKAGES.includes(name));
    assert.ok(packages.length > 0);
    assert.deepEqual(unknown, []);
  });
});
