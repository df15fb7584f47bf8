import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, type Format } from 'esbuild';

import { RunningNode } from '../../support/run-node.ts';
import { requireService, type ServiceName } from '../../support/services.ts';
import { startStandIn } from './mongodb/stand-in.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** What an application does with each client: one call, whose span begins with `operation`. */
const APPLICATIONS: Record<string, { service?: ServiceName; use: string; operation: string }> = {
  pg: {
    service: 'postgresql',
    use: `
      const connection = new client.Client(url);
      await connection.connect();
      await connection.query('select 1 as n');
      await connection.end();`,
    operation: 'select',
  },
  mysql2: {
    service: 'mariadb',
    use: `
      const pool = client.createPool(url);
      await new Promise((resolve) => pool.query('select 1 as n', resolve));
      await pool.promise().end();`,
    operation: 'select',
  },
  mysql: {
    service: 'mariadb',
    use: `
      const connection = client.createConnection(url);
      await new Promise((resolve) => connection.query('select 1 as n', resolve));
      connection.destroy();`,
    operation: 'select',
  },
  redis: {
    service: 'redis',
    use: `
      const redis = client.createClient({ url });
      await redis.connect();
      await redis.get('clew:a');
      redis.destroy();`,
    operation: 'GET',
  },
  ioredis: {
    service: 'redis',
    use: `
      const redis = new client.Redis(url);
      await redis.get('clew:a');
      redis.disconnect();`,
    operation: 'get',
  },
  mongodb: {
    use: `
      const mongo = await new client.MongoClient(url).connect();
      await mongo.db('bundled').collection('things').findOne({ n: 1 });
      await mongo.close();`,
    operation: 'find',
  },
};

/** The package and the SDK stay outside; the client is in the file. */
function sourceOf(client: string, use: string): string {
  return `
    import { trace } from '@opentelemetry/api';
    import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
    import { getInstrumentations } from 'clew';
    import * as client from '${client}';
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    const [url, isByHand] = process.argv.slice(2);
    const [own] = getInstrumentations().filter((one) => one.instrumentationName === 'clew/${client}');
    own.enable();
    if (isByHand) own.instrument(client);
    const use = async () => { ${use} };
    use().then(() => {
      const operations = exporter.getFinishedSpans().map(({ name }) => name.split(' ')[0]);
      process.stdout.write(JSON.stringify(operations));
    });`;
}

/** What pg and mongodb load where it is installed. */
const OPTIONAL = [
  'pg-native',
  'kerberos',
  '@mongodb-js/zstd',
  'gcp-metadata',
  'snappy',
  'socks',
  'aws4',
  '@aws-sdk/*',
  'mongodb-client-encryption',
];

/** Of a CommonJS client in an ES module. */
const WITH_REQUIRE = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`;

async function bundle(
  client: string,
  use: string,
  format: Format,
  folder: string,
): Promise<string> {
  const outfile = join(folder, format === 'esm' ? 'app.mjs' : 'app.cjs');
  await build({
    stdin: { contents: sourceOf(client, use), resolveDir: ROOT },
    outfile,
    bundle: true,
    format,
    platform: 'node',
    logLevel: 'silent',
    // One copy of the API, which is the application's.
    plugins: [
      {
        name: 'outside',
        setup: (own) => {
          own.onResolve({ filter: /^@opentelemetry\//, namespace: 'file' }, ({ path }) => ({
            path: join(ROOT, 'node_modules', path, 'build/src/index.js'),
            external: true,
          }));
          own.onResolve({ filter: /^clew$/ }, () => ({
            path: join(ROOT, 'build/src/index.js'),
            external: true,
          }));
        },
      },
    ],
    external: OPTIONAL,
    banner: { js: format === 'esm' ? WITH_REQUIRE : '' },
  });
  return outfile;
}

describe('A client in a bundled application', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-bundle-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const [client, { service, use, operation }] of Object.entries(APPLICATIONS)) {
    for (const format of ['esm', 'cjs'] as const) {
      it(`is instrumented by hand: ${client}, ${format}`, async function () {
        const standIn = service ? undefined : await startStandIn();
        const url = standIn ? standIn.url : await requireService(this, service!);
        const file = await bundle(client, use, format, folder);
        const [alone, byHand] = await Promise.all([
          new RunningNode([file, url]).result(),
          new RunningNode([file, url, 'by hand']).result(),
        ]);
        await standIn?.stop();
        assert.equal(alone.stdout, '[]', alone.stderr);
        assert.equal(byHand.stdout, JSON.stringify([operation]), byHand.stderr);
      });
    }
  }
});
