import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { runNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { folderWith } from './support.ts';

/*
 * Other tools as people install them: in one node_modules with clew, so that both share what npm
 * gives to both.
 */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What clew needs, and the libraries of the application. */
const COMMON = [
  '@ioredis/commands@2',
  'import-in-the-middle@3',
  'ioredis@5.11.0',
  'jsonc-parser@3',
  'lru-cache@11',
  'moo@0.5.3',
  'pg@8.22.0',
  'require-in-the-middle@8',
  'semver@7',
];
/** OpenTelemetry JS 2, and 3, which needs a newer Node. */
const SDK_2 = [
  '@opentelemetry/api@1.9.1',
  '@opentelemetry/exporter-trace-otlp-http@0.223',
  '@opentelemetry/instrumentation-http@0.223',
  '@opentelemetry/instrumentation-undici@0.33',
  '@opentelemetry/sdk-trace-base@2',
];
const SDK_3 = [
  '@opentelemetry/api@1.10.0',
  '@opentelemetry/exporter-trace-otlp-http@0.300',
  '@opentelemetry/instrumentation-http@0.300',
  '@opentelemetry/instrumentation-undici@0.34',
  '@opentelemetry/sdk-trace@3',
];
const isOld = Number(process.versions.node.split('.')[0]) < 22;

const RUN = `module.exports = async ({ http, pg, Redis }) => {
  const client = new pg.Client(process.env.DATABASE_URL);
  await client.connect();
  const redis = new Redis(process.env.REDIS_URL);
  await new Promise((resolve) => redis.once('ready', resolve));
  const server = http.createServer(async (request, response) => {
    await client.query('SELECT 1');
    await redis.get('key');
    response.end('ok');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  for (const path of ['/one', '/two']) {
    await new Promise((resolve) => {
      http.get({ port, path }, (response) => response.resume().on('end', resolve));
    });
  }
  await (await fetch('http://127.0.0.1:' + port + '/three')).text();
  await client.end();
  await redis.quit();
  server.close();
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.WAIT ?? 0)));
  process.exit();
};\n`;
const GIVEN = `start({
  instrumentations: getNodeAutoInstrumentations({
    '@opentelemetry/instrumentation-fs': { enabled: false },
    '@opentelemetry/instrumentation-dns': { enabled: false },
    '@opentelemetry/instrumentation-net': { enabled: false },
  }),
});\n`;
/** Sentry with an address at which nothing listens. */
const sentry = (name: string, options: string): string =>
  `import * as Sentry from '${name}';
Sentry.init({
  dsn: 'http://key@127.0.0.1:9/1',
  ${options}
  beforeSendTransaction(event) {
    const operations = event.spans.map(({ origin }) => origin);
    process._rawDebug('transaction ' + event.transaction + ': ' + operations.join());
    return event;
  },
});
process.on('exit', () => Sentry.captureMessage('end'));\n`;
const FILES = {
  'run.cjs': RUN,
  'app.cjs': `require('./run.cjs')({
  http: require('node:http'),
  pg: require('pg'),
  Redis: require('ioredis'),
});\n`,
  'app.mjs': `import http from 'node:http';
import Redis from 'ioredis';
import pg from 'pg';
import run from './run.cjs';
await run({ http, pg, Redis });\n`,
  'given.mjs': `import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node';
import { start } from 'clew';
${GIVEN}`,
  'tracing-10.mjs': sentry('sentry-10', 'tracesSampleRate: 1,'),
  'own-10.mjs': `import * as Sentry from 'sentry-10';
setImmediate(() => Sentry.startSpan({ name: 'own' }, () => undefined));\n`,
  'errors-10.mjs': sentry('sentry-10', ''),
  'tracing-11.mjs': sentry('sentry-11', `tracesSampleRate: 1, traceLifecycle: 'static',`),
  'errors-11.mjs': sentry('sentry-11', `traceLifecycle: 'static',`),
};

/** Operations by their kind, as clew alone records them: three requests, each with its queries. */
const ALONE = {
  'clew/ioredis get': 3,
  'clew/pg SELECT': 3,
  'clew/http client': 2,
  'clew/http server': 3,
  'clew/undici client': 1,
};

describe('clew/register beside', function () {
  this.timeout(900_000);
  let receiver: OtlpReceiver;
  let env: Record<string, string>;
  let folder: string;
  let remove: (() => void) | undefined;

  before(async function () {
    const database = await requireService(this, 'postgresql');
    env = { DATABASE_URL: database, REDIS_URL: await requireService(this, 'redis') };
  });
  beforeEach(async () => {
    receiver = await new OtlpReceiver().listen();
  });
  afterEach(() => receiver.close());

  /** A project with clew and `packages`, in one node_modules. */
  function project(name: string, packages: readonly string[], sdk = SDK_2): void {
    const installed = join(cachedInstall(name, [...COMMON, ...sdk, ...packages]), 'node_modules');
    ({ folder, remove } = folderWith(FILES));
    const clew = join(folder, 'node_modules', 'clew');
    mkdirSync(clew, { recursive: true });
    for (const part of ['build/package', 'package.json']) {
      cpSync(join(ROOT, part), join(clew, part), { recursive: true });
    }
    for (const entry of readdirSync(installed)) {
      const names = entry.startsWith('@')
        ? readdirSync(join(installed, entry)).map((inside) => `${entry}/${inside}`)
        : [entry];
      for (const one of names.filter((each) => !each.startsWith('.'))) {
        mkdirSync(dirname(join(folder, 'node_modules', one)), { recursive: true });
        symlinkSync(join(installed, one), join(folder, 'node_modules', one));
      }
    }
  }

  /** The spans by scope and what they are, and what was written to stderr, with its lines whole. */
  async function run(
    args: string[],
    more: Record<string, string> = {},
  ): Promise<{ spans: Record<string, number>; errors: string[]; stderr: string }> {
    const { code, stderr } = await runNode(['--no-warnings', ...args], {
      cwd: folder,
      env: {
        ...env,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        OTEL_NODE_RESOURCE_DETECTORS: 'none',
        OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'fs,net,dns',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        ...more,
      },
    });
    assert.equal(code, 0, stderr);
    const spans: Record<string, number> = {};
    for (const { scope, name, kind } of receiver.spans) {
      if (/connect|quit|info|client/i.test(name)) continue;
      const library = scope.name.replace('@opentelemetry/instrumentation-', '');
      const isHttp = /http|undici/.test(library);
      const what = isHttp ? (kind === 2 ? 'server' : 'client') : (name.split(' ')[0] ?? '');
      const key = `${library} ${what}`;
      spans[key] = (spans[key] ?? 0) + 1;
    }
    const lines = stderr.split('\n').filter((line) => line.startsWith('clew: '));
    const errors = receiver.spans.filter(({ status }) => status?.code === 2);
    return {
      spans,
      errors: errors.map(({ name, status }) => `${name} ${status?.message}`),
      stderr: lines.join('\n'),
    };
  }

  const AUTO: [version: string, folder: string, sdk: 2 | 3][] = [['0.81.2', 'beside-auto-1', 2]];
  // They need Node 22.15.
  if (!isOld) AUTO.push(['0.82.0', 'beside-auto-2', 3]);
  for (const [version, name, sdk] of AUTO)
    describe(`OpenTelemetry’s auto-instrumentations ${version}`, () => {
      const REGISTER = '@opentelemetry/auto-instrumentations-node/register';
      const OFFICIAL = {
        'http client': 2,
        'http server': 3,
        'ioredis get': 3,
        'pg pg.query:SELECT': 3,
        'undici client': 1,
      };
      const WITH_OURS = {
        'clew/http client': 2,
        'clew/http server': 3,
        'ioredis get': 3,
        'pg pg.query:SELECT': 3,
        'undici client': 1,
      };
      before(() => {
        project(
          name,
          [`@opentelemetry/auto-instrumentations-node@${version}`],
          sdk === 2 ? SDK_2 : SDK_3,
        );
      });
      after(() => remove?.());

      /** Of HTTP nothing is reported: to have it instrumented otherwise is common. */
      const expectTwice = (stderr: string): void => {
        const twice = [...stderr.matchAll(/^clew: (\w+) is instrumented twice, (by|too)/gm)];
        assert.deepEqual(new Set(twice.map(([, library]) => library)), new Set(['ioredis', 'pg']));
        assert.deepEqual(
          twice.map(([, , form]) => form),
          ['by', 'too'],
        );
        assert.match(stderr, /Remove the other to have clew's/);
      };

      for (const [how, app] of [
        ['--require', 'app.cjs'],
        ['--import', 'app.mjs'],
      ] as const) {
        it(`${how}, before clew: one span an operation, as without clew`, async () => {
          const { spans, stderr } = await run([how, REGISTER, how, 'clew/register', app], {
            WAIT: '500',
          });
          assert.deepEqual(spans, OFFICIAL);
          assert.match(stderr, /another context manager and tracer provider was registered first/);
          expectTwice(stderr);
        });

        it(`${how}, after clew: one span an operation`, async () => {
          const { spans, stderr } = await run([how, 'clew/register', how, REGISTER, app]);
          // In ES modules the newer one leaves node:http as it finds it, with clew's spans.
          const isLeft = sdk === 3 && how === '--import';
          assert.deepEqual(spans, isLeft ? WITH_OURS : OFFICIAL);
          expectTwice(stderr);
        });
      }

      it('given to start(): theirs alone, without a word', async () => {
        for (const app of ['app.cjs', 'app.mjs']) {
          receiver.spans.length = 0;
          const { spans, stderr } = await run(['--import', './given.mjs', app]);
          assert.deepEqual(spans, OFFICIAL);
          assert.equal(stderr, '');
        }
      });
    });

  describe('dd-trace', () => {
    before(() =>
      project(`beside-dd-${isOld ? 5 : 6}`, [`dd-trace@${isOld ? '5.132.0' : '6.21.0'}`]),
    );
    after(() => remove?.());
    const cases: [title: string, args: string[]][] = [
      ['before', ['--require', 'dd-trace/init', '--require', 'clew/register', 'app.cjs']],
      ['after', ['--import', 'clew/register', '--import', 'dd-trace/initialize.mjs', 'app.mjs']],
    ];

    for (const [title, args] of cases) {
      it(`${title} clew: one span an operation, none of its agent, one line`, async () => {
        const { spans, errors, stderr } = await run(args, { WAIT: '1500' });
        assert.deepEqual(spans, ALONE);
        assert.deepEqual(errors, []);
        assert.match(stderr, /^clew: dd-trace also traces: .*DD_TRACE_ENABLED=false, or OTEL_SDK_/);
        assert.equal(stderr.split('\n').length, 1, stderr);
      });
    }

    it('that does not trace: without a word', async () => {
      const more = { WAIT: '1500', DD_TRACE_ENABLED: 'false' };
      const { spans, errors, stderr } = await run(cases[0]?.[1] ?? [], more);
      assert.deepEqual(spans, ALONE);
      assert.deepEqual(errors, []);
      assert.equal(stderr, '');
    });
  });

  describe('Sentry', () => {
    before(() => {
      const versions = ['sentry-10@npm:@sentry/node@10.78.0', 'sentry-11@npm:@sentry/node@11.12.0'];
      project('beside-sentry-1', versions);
    });
    after(() => remove?.());

    const before10 = (file: string): string[] => ['--import', file, '--import', 'clew/register'];
    const after10 = (file: string): string[] => ['--import', 'clew/register', '--import', file];

    it('10 that traces, before clew: its own transactions, as without clew', async () => {
      const { stderr } = await runNode([...before10('./tracing-10.mjs'), 'app.mjs'], {
        cwd: folder,
        env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, WAIT: '1500' },
      });
      for (const path of ['/one', '/two', '/three']) {
        assert.equal(stderr.split(`transaction GET ${path}: `).length, 2, stderr);
        assert.match(
          stderr,
          new RegExp(`GET ${path}: auto\\.db\\.otel\\.postgres,auto\\.db\\.redis\\.\\w+$`, 'm'),
        );
      }
      assert.doesNotMatch(stderr, /: .*manual/);
      assert.match(stderr, /^clew: Sentry also creates spans; clew leaves these to it: /m);
    });

    it('10 that traces, after clew: one span an operation, those of the application, and one line', async () => {
      const args = [...after10('./tracing-10.mjs'), '--import', './own-10.mjs', 'app.mjs'];
      const { spans, errors, stderr } = await run(args);
      assert.deepEqual(spans, { ...ALONE, '@sentry/node own': 1 });
      assert.deepEqual(errors, []);
      assert.match(stderr, /^clew: Sentry was initialised after clew, .* initialise Sentry before/);
      assert.equal(stderr.split('\n').length, 1, stderr);
    });

    it('10 for errors, before clew: one line about its provider', async () => {
      const { stderr } = await run([...before10('./errors-10.mjs'), 'app.mjs']);
      assert.match(stderr, /^clew: Sentry's tracer provider was registered first, and drops every/);
      assert.equal(stderr.split('\n').length, 1, stderr);
    });

    it('for errors otherwise: without a word, and no spans of its own requests', async () => {
      for (const args of [
        after10('./errors-10.mjs'),
        before10('./errors-11.mjs'),
        after10('./errors-11.mjs'),
      ]) {
        receiver.spans.length = 0;
        const { spans, errors, stderr } = await run([...args, 'app.mjs'], { WAIT: '1500' });
        assert.deepEqual(spans, ALONE, args.join(' '));
        assert.deepEqual(errors, []);
        assert.equal(stderr, '');
      }
    });

    it('11 that traces: one span an operation and one line', async () => {
      for (const args of [before10('./tracing-11.mjs'), after10('./tracing-11.mjs')]) {
        receiver.spans.length = 0;
        const { spans, errors, stderr } = await run([...args, 'app.mjs'], { WAIT: '4000' });
        assert.deepEqual(spans, ALONE);
        assert.deepEqual(errors, []);
        assert.match(stderr, /^clew: Sentry also traces: .* no tracesSampleRate in Sentry\.init/);
        assert.equal(stderr.split('\n').length, 1, stderr);
      }
    });
  });
});
