import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  'debug',
  'es-module-lexer',
  'has-flag',
  'import-in-the-middle',
  'module-details-from-path',
  'ms',
  'require-in-the-middle',
  'supports-color',
];
/** On Node 20 and 22 some of them twice: the hooks of imports run in a thread. */
const OWN_FILES = 36;

describe('the preload of a program that uses nothing of it', function () {
  this.timeout(30_000);
  let loaded: string[];

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
    // Node's own coverage names every script that ran.
    const env = { NODE_V8_COVERAGE: folder, OTEL_TRACES_EXPORTER: 'none' };
    const { code } = await runNode(['--import', REGISTER_URL, '-e', '0'], { env });
    assert.equal(code, 0);
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

  it('loads no package that is not known here', () => {
    const packages = loaded
      .map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1])
      .filter((name) => name !== undefined);
    const unknown = [...new Set(packages)].filter((name) => !PACKAGES.includes(name));
    assert.ok(packages.length > 0);
    assert.deepEqual(unknown, []);
  });
});
