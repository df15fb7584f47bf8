import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { scenes } from '../../src/cli/demo/scenes.ts';
import { accepts, freePort } from '../support/instances.ts';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { runNode, RunningNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const REQUESTS = scenes.reduce((sum, scene) => sum + scene.requests.length, 0);
const SERVER = 2;
const CLIENT = 3;

/** Environment in which nothing answers OTLP and no database is given. */
async function alone(): Promise<Record<string, string | undefined>> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    DATABASE_URL: undefined,
  };
}

describe('clew demo', function () {
  this.timeout(60_000);

  describe('with a collector', () => {
    let receiver: OtlpReceiver;
    let spans: ReceivedSpan[];
    let stdout: string;

    before(async () => {
      receiver = await new OtlpReceiver().listen();
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        JAEGER_URL: 'http://jaeger.test',
        DATABASE_URL: undefined,
      };
      const result = await runNode([CLI, 'demo', '--once'], { env });
      assert.equal(result.code, 0, result.stdout + result.stderr);
      assert.equal(result.stderr, '');
      ({ spans } = receiver);
      ({ stdout } = result);
    });

    after(() => receiver.close());

    it('delivers one SERVER root for each request, and every other span under a parent', () => {
      const roots = spans.filter((span) => !span.parentSpanId);
      assert.equal(roots.length, REQUESTS);
      assert.ok(roots.every((span) => span.kind === SERVER));
      const ids = new Map(spans.map((span) => [span.spanId, span]));
      for (const span of spans) {
        if (!span.parentSpanId) continue;
        const parent = ids.get(span.parentSpanId);
        assert.ok(parent, `${span.name} is an orphan`);
        assert.equal(parent.traceId, span.traceId, `${span.name} has a foreign parent`);
      }
    });

    it('has every span within its parent, to the nanosecond', () => {
      const ids = new Map(spans.map((span) => [span.spanId, span]));
      const children = spans.filter((span) => span.parentSpanId);
      for (const span of children) {
        const parent = ids.get(span.parentSpanId ?? '');
        assert.ok(parent);
        assert.ok(BigInt(span.startTimeUnixNano) >= BigInt(parent.startTimeUnixNano), span.name);
        assert.ok(BigInt(span.endTimeUnixNano) <= BigInt(parent.endTimeUnixNano), span.name);
      }
      // The SDK by itself starts each at a whole millisecond.
      assert.ok(children.some((span) => BigInt(span.startTimeUnixNano) % 1_000_000n !== 0n));
    });

    it('gives each request its own queries although they queue for two connections', () => {
      for (const root of spans.filter((span) => !span.parentSpanId)) {
        const path = String(
          toObject(root.attributes)['url.path'] ?? toObject(root.attributes)['http.target'],
        );
        const names = spans
          .filter((span) => span.traceId === root.traceId && span.kind === CLIENT)
          .toSorted((a, b) => (BigInt(a.startTimeUnixNano) < BigInt(b.startTimeUnixNano) ? -1 : 1))
          .map((span) => span.name);
        const expected = path.startsWith('/orders')
          ? ['BEGIN', 'UPDATE products', 'INSERT orders', 'COMMIT']
          : path === '/reports'
            ? ['SELECT reports']
            : ['SELECT products'];
        assert.deepEqual(names, expected, path);
      }
    });

    it('describes each query by the stable conventions', () => {
      const queries = spans.filter((span) => span.kind === CLIENT);
      assert.equal(queries.length, 15);
      for (const query of queries) {
        const attributes = toObject(query.attributes);
        assert.equal(attributes['db.system.name'], 'postgresql');
        assert.equal(attributes['server.address'], '127.0.0.1');
        assert.equal(typeof attributes['server.port'], 'number');
        assert.match(String(attributes['db.namespace']), /^postgres/);
        assert.equal(attributes['db.query.summary'], query.name);
      }
    });

    it('reports the failing query with its code and without the values in it', () => {
      const [failed, ...others] = spans.filter(
        (span) => span.kind === CLIENT && span.status.code === 2,
      );
      assert.equal(others.length, 0);
      const attributes = toObject(failed?.attributes);
      assert.equal(attributes['db.response.status_code'], '42P01');
      assert.equal(attributes['error.type'], '42P01');
      assert.ok(!JSON.stringify(spans).includes('ariadne'), 'the literal has not left the process');
    });

    it('prints a link for each trace', () => {
      for (const traceId of new Set(spans.map((span) => span.traceId))) {
        assert.ok(stdout.includes(`http://jaeger.test/trace/${traceId}`));
      }
    });
  });

  it('shows the traces as trees of at most 80 columns where no collector answers', async () => {
    const env = await alone();
    const result = await runNode([CLI, 'demo', '--once'], { env });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const lines = result.stdout.split('\n');
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    );
    const said = lines.filter((line) => line.includes('no collector'));
    assert.equal(said.length, 1);
    assert.ok(said[0]?.includes(String(env['OTEL_EXPORTER_OTLP_ENDPOINT'])));
    assert.match(
      result.stdout,
      /GET \/reports +[\d.]+ ms {2}ERROR 500\n└─ SELECT reports +[\d.]+ ms {2}ERROR 42P01\n/,
    );
    assert.match(
      result.stdout,
      new RegExp(`${REQUESTS} requests, ${REQUESTS} traces, .*every span has its parent`),
    );
    assert.ok(!result.stdout.includes('/trace/'), 'no link that leads nowhere');
  });

  it('ends with a failure when spans lost their parent', async () => {
    // Without the request's span a query's span has no parent.
    const env = { ...(await alone()), OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http,undici' };
    const result = await runNode([CLI, 'demo', '--once'], { env });
    assert.equal(result.code, 1);
    assert.match(result.stdout, /LOST {2}SELECT products: it has no parent/);
  });

  it('uses the PostgreSQL at DATABASE_URL and leaves nothing behind in it', async function () {
    const url = await requireService(this, 'postgresql');
    const env = { ...(await alone()), DATABASE_URL: url };
    const result = await runNode([CLI, 'demo', '--once'], { env });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(
      "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'clew_demo'",
    );
    await client.end();
    assert.deepEqual(rows, []);
  });

  it('keeps showing what comes until Ctrl-C, which stops everything it started', async () => {
    const running = new RunningNode([CLI, 'demo'], { env: await alone() });
    const [, url = ''] = await running.waitFor(/The shop listens at (http:\S+):/);
    assert.equal((await fetch(`${url}/products/3`)).status, 200);
    await running.waitFor(/Ctrl-C[^]*GET \/products\/3 /);
    running.child.kill('SIGINT');
    const result = await running.result();
    assert.equal(result.code, 0, result.stderr);
    assert.equal(await accepts(Number(new URL(url).port)), false, 'the shop has ended');
  });

  it('says which port is in use, and what to do', async () => {
    const receiver = await new OtlpReceiver().listen();
    const result = await runNode([CLI, 'demo', '--port', String(receiver.port)]);
    await receiver.close();
    assert.equal(result.code, 1);
    assert.equal(result.stdout, '');
    assert.match(
      result.stderr,
      /^clew demo: port \d+ cannot be used \(EADDRINUSE\)\. .*--port.*\n$/,
    );
  });

  for (const [port, exitCode] of [
    ['-1', 2],
    ['65536', 2],
    ['http', 2],
  ] as const) {
    it(`refuses the port ${port}`, async () => {
      const result = await runNode([CLI, 'demo', `--port=${port}`]);
      assert.equal(result.code, exitCode);
      assert.match(
        result.stderr,
        /^clew demo: Expected `--port` to be a whole number from 0 to 65535/,
      );
    });
  }

  it('says in one line that the database cannot be reached', async () => {
    const port = await freePort();
    const env = { ...(await alone()), DATABASE_URL: `postgresql://me:hunter2@127.0.0.1:${port}/x` };
    const result = await runNode([CLI, 'demo', '--once'], { env });
    assert.equal(result.code, 2);
    assert.match(
      result.stderr,
      /^clew demo: the PostgreSQL at DATABASE_URL cannot be used: .*ECONNREFUSED.*\n$/,
    );
    assert.ok(!result.stderr.includes('hunter2'));
  });

  it('refuses an unknown option with one line and exit code 2', async () => {
    const result = await runNode([CLI, 'demo', '--twice']);
    assert.equal(result.code, 2);
    assert.equal(result.stderr, "clew demo: Unknown option '--twice'\n");
  });
});

describe('clew', () => {
  it('lists its commands', async () => {
    const result = await runNode([CLI, '--help']);
    assert.equal(result.code, 0);
    assert.match(result.stdout, /^Usage: clew <command>/);
    assert.ok(result.stdout.split('\n').every((line) => line.length <= 80));
  });

  it('refuses an unknown command with its name and exit code 2', async () => {
    const result = await runNode([CLI, 'dance']);
    assert.equal(result.code, 2);
    assert.match(result.stderr, /^clew: there is no command `dance`\./);
  });
});
