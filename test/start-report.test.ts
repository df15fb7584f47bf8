import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readConfig } from '../src/config.ts';
import { startReport, uncoveredReport } from '../src/start-report.ts';
import { isBlindTo } from '../src/base/api-versions.ts';
import { fixture, REGISTER_URL, runNode } from './support/run-node.ts';

const CLI = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

describe('the report of a start', function () {
  this.timeout(120_000);

  function report(env: Record<string, string>, libraries: string[] = ['pg']): string[] {
    const { config } = readConfig({}, env);
    return startReport(config, { store: 'hook', isProvider: true, libraries });
  }

  it('names version, store, service, where spans go and what is instrumented', () => {
    const lines = report({
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'service.version=2',
    });
    assert.match(lines[0] ?? '', /^clew \d+\.\d+\.\d+ on Node \d+.*, context store: hook$/);
    assert.deepEqual(lines.slice(1), [
      'service shop 2',
      'spans go to http://127.0.0.1:4318/v1/traces',
      'instrumented: pg',
    ]);
    assert.ok(
      report({ OTEL_SDK_DISABLED: 'true' }).includes('no spans: OTEL_SDK_DISABLED is true'),
    );
    assert.ok(report({ OTEL_TRACES_EXPORTER: 'none' }).includes('spans go nowhere'));
  });

  it('is a line of the log for each fact, however long, and shows no credentials', () => {
    const libraries = Array.from({ length: 40 }, (_, index) => `library-${index}`);
    const endpoint = 'http://user:secret@127.0.0.1:4318/x?key=secret';
    const lines = report({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint }, libraries);
    assert.equal(lines.at(-1), `instrumented: ${libraries.join(', ')}`);
    assert.ok(!lines.join('\n').includes('secret'), lines.join('\n'));
    const [line] = uncoveredReport([{ library: 'kafkajs', by: '@x/kafka' }]);
    assert.equal(line, 'no spans for kafkajs; @x/kafka creates them');
  });

  it('is written at level debug and not by default', async () => {
    const run = (env: Record<string, string>): ReturnType<typeof runNode> =>
      runNode(['--import', REGISTER_URL, fixture('hello.mjs')], {
        env: { OTEL_TRACES_EXPORTER: 'none', ...env },
      });
    assert.equal((await run({})).stderr, '');
    assert.match((await run({ OTEL_LOG_LEVEL: 'debug' })).stderr, /^clew: clew .*context store: /m);
  });

  it('names under clew run, in a few lines, what is loaded and instrumented, each once', async () => {
    const env = { OTEL_TRACES_EXPORTER: 'none', OTEL_SERVICE_NAME: 'shop' };
    const { stderr } = await runNode([CLI, 'run', fixture('loads-libraries.mjs')], { env });
    // Only a terminal gets several lines for one.
    assert.doesNotMatch(stderr, /^clew: {3}/m);
    const lines = stderr.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^clew: clew [\d.]+ on Node [\d.]+, service shop\b/);
    assert.equal(lines[1], 'clew: spans go nowhere');
    const later = lines.slice(2).join('\n');
    assert.match(later, /^clew: instrumented: .*express [45][\d.]+/m);
    assert.match(later, /^clew: instrumented: .*pg 8[\d.]+$/m);
    const names = [...later.matchAll(/[ ,]([a-z]+)(?: \d[\d.]+)?(?=,|$)/gm)].map(
      ([, name]) => name,
    );
    const loaded = ['express', 'http', 'pg', 'router', 'undici'];
    for (const name of names) assert.ok(loaded.includes(name ?? ''), stderr);
    assert.equal(new Set(names).size, names.length, stderr);
    assert.ok(names.includes('http') && names.includes('undici'), stderr);
  }).timeout(120_000);

  it('names the libraries without spans that are loaded by import and later, each once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
    try {
      for (const [name, type] of [
        ['cassandra-driver', 'module'],
        ['oracledb', 'commonjs'],
        ['tedious', 'module'],
        ['restify', 'module'],
      ] as const) {
        const library = join(folder, 'node_modules', name);
        mkdirSync(library, { recursive: true });
        writeFileSync(join(library, 'package.json'), JSON.stringify({ name, type }));
        writeFileSync(join(library, 'index.js'), '');
      }
      writeFileSync(
        join(folder, 'app.mjs'),
        `import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import 'cassandra-driver';
await wait(1300);
await import('tedious');
createRequire(import.meta.url)('oracledb');
await wait(1500);\n`,
      );
      const { stderr } = await runNode(['--import', REGISTER_URL, 'app.mjs'], {
        cwd: folder,
        env: { OTEL_TRACES_EXPORTER: 'none', OTEL_LOG_LEVEL: 'debug' },
      });
      const lines = stderr.match(/no spans for [\w-]+; .*/g);
      assert.deepEqual(lines?.toSorted(), [
        'no spans for cassandra-driver; @opentelemetry/instrumentation-cassandra-driver creates them',
        'no spans for oracledb; @opentelemetry/instrumentation-oracledb creates them',
        'no spans for tedious; @opentelemetry/instrumentation-tedious creates them',
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('corrects a misspelt name of an instrumentation, and knows those of other tools', () => {
    const { problems } = readConfig(
      {},
      { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pgg,express,fs,frobnicate,pg' },
    );
    assert.deepEqual(
      problems.map(({ message }) => message),
      [
        '`OTEL_NODE_DISABLED_INSTRUMENTATIONS` names `pgg`, which is not the name of an instrumentation. Did you mean `pg`?',
        '`OTEL_NODE_DISABLED_INSTRUMENTATIONS` names `frobnicate`, which is not the name of an instrumentation.',
      ],
    );
  });

  it('finds a copy of the API blind where it is newer than the one that is registered', () => {
    assert.equal(isBlindTo('1.10.0', '1.9.1'), true);
    assert.equal(isBlindTo('1.9.0', '1.9.1'), false);
    assert.equal(isBlindTo('1.8.0', '1.9.1'), false);
    assert.equal(isBlindTo('2.0.0', '1.9.1'), true);
  });

  it('answers clew --version', () => {
    const { stdout, status } = spawnSync(process.execPath, [CLI, '--version'], {
      encoding: 'utf8',
    });
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(status, 0);
  });
});
