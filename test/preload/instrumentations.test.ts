import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { MODULES } from '../support/modules.ts';
import { runNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { folderWith, run } from './support.ts';

const CLEW = new URL('../../src/index.js', import.meta.url).href;

/** Official instrumentations with the libraries they are for; a copy of import-in-the-middle too. */
const PACKAGES = [
  'express@5.2.1',
  'koa@3.2.1',
  'graphql@16.14.1',
  'pino@10.4.0',
  '@opentelemetry/api@1.9.1',
  '@opentelemetry/instrumentation@0.223.0',
  '@opentelemetry/instrumentation-express@0.71.1',
  '@opentelemetry/instrumentation-koa@0.71.0',
  '@opentelemetry/instrumentation-graphql@0.71.0',
  '@opentelemetry/instrumentation-pino@0.69.0',
];

const INSTRUMENTATIONS = `
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql';
import { KoaInstrumentation } from '@opentelemetry/instrumentation-koa';
import { PinoInstrumentation } from '@opentelemetry/instrumentation-pino';
const make = () => [
  new ExpressInstrumentation(),
  new KoaInstrumentation(),
  new GraphQLInstrumentation(),
  new PinoInstrumentation(),
];
`;

const FILES = {
  'given.mjs': `import { start } from '${CLEW}';
${INSTRUMENTATIONS}
start({ instrumentations: make() });\n`,
  'later.mjs': `import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { hookImports, start } from '${CLEW}';
${INSTRUMENTATIONS}
start();
hookImports();
registerInstrumentations({ instrumentations: make() });\n`,
  'app.mjs': `import { once } from 'node:events';
import express from 'express';
import { buildSchema, graphql } from 'graphql';
import Koa from 'koa';
import pino from 'pino';

const ask = async (server, path) => {
  await once(server, 'listening');
  await (await fetch(\`http://127.0.0.1:\${server.address().port}\${path}\`)).text();
  server.close();
};
const app = express();
app.get('/users/:id', (request, response) => response.json({ id: request.params.id }));
await ask(app.listen(0, '127.0.0.1'), '/users/7');
const koa = new Koa();
koa.use(async function answer(ctx) {
  pino().info('logged');
  ctx.body = 'answer';
});
await ask(koa.listen(0, '127.0.0.1'), '/');
const schema = buildSchema('type Query { a: String }');
await graphql({ schema, source: '{ a }', rootValue: { a: 1 } });\n`,
};

describe('Instrumentations of OpenTelemetry in an ES module', function () {
  this.timeout(180_000);
  let folder: string;
  let remove: () => void;

  before(() => {
    ({ folder, remove } = folderWith(FILES));
    symlinkSync(
      join(cachedInstall('esm-instrumentations-1', PACKAGES), 'node_modules'),
      join(folder, 'node_modules'),
    );
  });
  after(() => remove());

  for (const [title, preload] of [
    ['given to start()', './given.mjs'],
    ['registered after hookImports()', './later.mjs'],
  ] as const) {
    it(`record what they are for: ${title}`, () => {
      const { stdout, stderr, code } = run(['--no-warnings', '--import', preload, 'app.mjs'], {
        cwd: folder,
        env: { OTEL_TRACES_EXPORTER: 'console' },
      });
      assert.equal(code, 0, stderr);
      const names = [...stdout.matchAll(/^ {2}name: '(.*)'/gm)].map(([, name]) => name);
      for (const name of [
        'GET /users/:id',
        'request handler',
        'middleware - answer',
        'graphql.parse',
        'graphql.validate',
      ]) {
        assert.equal(names.filter((each) => each === name).length, 1, `${name} in ${names.join()}`);
      }
      assert.match(stdout, /"trace_id":"\w{32}".*"msg":"logged"/);
    });
  }
});

describe('The recipe for an SDK of one’s own, in ES modules', function () {
  this.timeout(180_000);

  it('gives spans of pg, postgres, mysql2 and ioredis, and patches better-sqlite3', async function () {
    const env = {
      DATABASE_URL: await requireService(this, 'postgresql'),
      MARIADB_URL: await requireService(this, 'mariadb'),
      REDIS_URL: await requireService(this, 'redis'),
      CLEW_REQUIRE_PARENT: 'false',
    };
    const { folder, remove } = folderWith({
      'sdk.mjs': `import { trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { getInstrumentations } from '${CLEW}';
const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);
registerInstrumentations({ instrumentations: getInstrumentations() });
process.on('exit', () => {
  const scopes = exporter.getFinishedSpans().map((span) => span.instrumentationScope.name);
  console.log([...new Set(scopes)].sort().join(' '));
});\n`,
      'app.mjs': `import Redis from 'ioredis';
import mysql from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
await client.query('SELECT 1');
await client.end();
const sql = postgres(process.env.DATABASE_URL);
await sql\`SELECT 1\`;
await sql.end();
const connection = await mysql.createConnection(process.env.MARIADB_URL);
await connection.query('SELECT 1');
await connection.end();
const redis = new Redis(process.env.REDIS_URL);
await redis.get('key');
await redis.quit();
// Without its native part, which not every machine has: a method is ours, or its own.
const { default: Database } = await import('better-sqlite3');
console.log(/cppdb/.test(String(Database.prototype.exec)) ? 'bare' : 'patched');\n`,
    });
    try {
      symlinkSync(MODULES, join(folder, 'node_modules'));
      const args = ['--no-warnings', '--import', './sdk.mjs', 'app.mjs'];
      const result = await runNode(args, { cwd: folder, env });
      assert.equal(result.code, 0, `${result.signal} ${result.stdout} ${result.stderr}`);
      const [sqlite, scopes = ''] = result.stdout.trim().split('\n');
      assert.equal(sqlite, 'patched');
      assert.deepEqual(scopes.split(' '), [
        'clew/ioredis',
        'clew/mysql2',
        'clew/pg',
        'clew/postgres',
      ]);
    } finally {
      remove();
    }
  });
});
