import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

import { commands } from '../../src/cli/commands.ts';
import { scenes } from '../../src/cli/demo/scenes.ts';
import { accepts, freePort } from '../support/instances.ts';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { answerIn } from './support/json-answer.ts';
import { runNode, RunningNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const REQUESTS = scenes.reduce((sum, scene) => sum + scene.requests.length, 0);
const SERVER = 2;
const CLIENT = 3;

/** The five questions of `clew mcp`, asked by the SDK's client. */
async function askAboutDemo(page: string): Promise<void> {
  const client = new Client({ name: 'test', version: '1' });
  const args = [CLI, 'mcp', '--from', page];
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }),
  );
  // oxlint-disable-next-line typescript/no-explicit-any
  const ask = async (name: string, input: Record<string, unknown> = {}): Promise<any> => {
    const { content } = (await client.callTool({ name, arguments: input })) as {
      content: { text: string }[];
    };
    const text = content[0]?.text ?? '';
    assert.ok(text.length < 8192, name);
    return JSON.parse(text);
  };
  const { requests, total } = await ask('list_requests', { show: 'slowest' });
  assert.equal(total, REQUESTS);
  const failed = await ask('list_requests', { show: 'failed' });
  assert.deepEqual(
    failed.requests.map(({ statusCode }: { statusCode: string }) => statusCode),
    ['500'],
  );
  const order = requests.find(({ spans }: { spans: number }) => spans >= 5);
  const why = await ask('why_slow', { trace: order.traceId });
  const { children } = why.tree[0];
  for (const name of ['BEGIN', 'UPDATE products', 'INSERT orders', 'COMMIT']) {
    assert.ok(
      children.some((node: { name: string }) => node.name === name),
      name,
    );
  }
  assert.ok(why.typical.requests >= 1);
  const waited = await ask('what_it_waited_for', { trace: order.traceId });
  assert.ok(waited.criticalPath.some(({ name }: { name: string }) => name === 'INSERT orders'));
  assert.deepEqual((await ask('lost_parents')).findings, []);
  const [a, b] = requests.map(({ traceId }: { traceId: string }) => traceId);
  assert.ok((await ask('compare_requests', { a, b })).differences.length > 0);
  await client.close();
}

/** Environment in which nothing answers OTLP, and neither a database nor a queue is given. */
async function alone(): Promise<Record<string, string | undefined>> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
  };
}

describe('clew demo', function () {
  this.timeout(120_000);

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
        REDIS_URL: undefined,
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

    it('names each request by its route and the function that answered', () => {
      const found = spans
        .filter((span) => span.kind === SERVER)
        .map(
          ({ name, attributes }) => `${name} ${String(toObject(attributes)['code.function.name'])}`,
        );
      const order = 'POST /orders/:id/:quantity placeOrder';
      const product = 'GET /products/:id showProduct';
      const products = 'GET /products listProducts';
      const report = 'GET /reports answerError';
      const expected = [
        products,
        order,
        report,
        ...[1, 2, 3, 4].map(() => product),
        products,
        order,
      ];
      assert.deepEqual(found.toSorted(), expected.toSorted());
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
        // What Jaeger's page goes by, too.
        assert.equal(attributes['db.system'], 'postgresql');
        assert.equal(attributes['peer.service'], 'postgresql');
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

  it('names what is not installed before it starts anything', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-demo-'));
    try {
      const own = join(folder, 'node_modules/clew');
      cpSync(join(ROOT, 'build/package'), join(own, 'build/package'), {
        recursive: true,
        filter: (file) => !file.endsWith('.map'),
      });
      cpSync(join(ROOT, 'package.json'), join(own, 'package.json'));
      symlinkSync(
        join(ROOT, 'node_modules/@opentelemetry'),
        join(folder, 'node_modules/@opentelemetry'),
      );
      const demo = (env: Record<string, string>): ReturnType<typeof runNode> =>
        runNode([join(own, 'build/package/cli.js'), 'demo', '--once'], { cwd: folder, env });
      const { code, stdout, stderr } = await demo({ DATABASE_URL: '' });
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(
        stderr,
        /^clew demo: The demo needs `express`, `pg`, `@electric-sql\/pglite`, `@electric-sql\/pglite-socket`, which are not installed\. Run npm i clew express pg @electric-sql\/pglite @electric-sql\/pglite-socket, then npx clew demo\.\n$/,
      );
      const other = await demo({ DATABASE_URL: 'postgresql://127.0.0.1:9/none' });
      assert.match(
        other.stderr,
        /needs `express`, `pg`, which are not .* Run npm i clew express pg, /,
      );
      assert.equal(other.stdout, '');
    } finally {
      rmSync(folder, { recursive: true });
    }
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
      /GET \/reports +[\d.]+ ms {2}ERROR 500\n(?:├─ pool wait .*\n)?[├└]─ SELECT reports +[\d.]+ ms {2}ERROR 42P01\n/,
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

  describe('with a queue', function () {
    // It has two more processes.
    this.timeout(120_000);
    let redisUrl: string;

    before(async function () {
      redisUrl = await requireService(this, 'redis');
    });

    for (const choice of ['link', 'child']) {
      it(`has a request and its job in another process: ${choice}`, async () => {
        const receiver = await new OtlpReceiver().listen();
        const { code, stdout, stderr } = await runNode([CLI, 'demo', '--once'], {
          env: {
            OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
            DATABASE_URL: undefined,
            REDIS_URL: redisUrl,
            CLEW_CONSUMER_SPAN: choice,
          },
        });
        await receiver.close();
        assert.deepEqual([code, stderr], [0, ''], stdout + stderr);
        // A sender that is unsure sends twice.
        const spans = [...new Map(receiver.spans.map((span) => [span.spanId, span])).values()];
        const one = (start: string): ReceivedSpan => {
          const [found, ...more] = spans.filter(({ name }) => name.startsWith(start));
          assert.ok(found && more.length === 0, start);
          return found;
        };
        const sent = one('send clew-demo');
        const processed = one('process clew-demo');
        const isChild = choice === 'child';
        assert.equal(processed.parentSpanId, isChild ? sent.spanId : undefined);
        assert.equal(processed.traceId === sent.traceId, isChild);
        const request = spans.find(({ spanId }) => spanId === sent.parentSpanId);
        assert.equal(request?.kind, SERVER);
        const work = spans.filter(({ parentSpanId }) => parentSpanId === processed.spanId);
        assert.deepEqual(
          work.map(({ name }) => name),
          ['BEGIN', 'UPDATE products', 'INSERT orders', 'COMMIT'],
        );
        assert.deepEqual(
          stdout.match(/^linked to: .*$/gm),
          isChild ? null : [`linked to: ${sent.name}`],
        );
        for (const [line, { traceId }] of [
          ['server: order queued', request],
          ['worker: order placed', processed],
        ] as const) {
          assert.ok(stdout.includes(`log  ${line}  trace_id ${traceId}`), stdout);
        }
        const traces = REQUESTS + (isChild ? 1 : 2);
        assert.match(
          stdout,
          new RegExp(`${REQUESTS + 1} requests, ${traces} traces, .* every span has its parent`),
        );
        const { Redis } = await import('ioredis');
        const redis = new Redis(redisUrl);
        const left = await redis.keys('bull:clew-demo-*');
        await redis.quit();
        assert.deepEqual(left, []);
      });
    }

    it('reports in one line that the Redis cannot be reached', async () => {
      const env = {
        ...(await alone()),
        REDIS_URL: `redis://:hunter2@127.0.0.1:${await freePort()}`,
      };
      const { code, stderr } = await runNode([CLI, 'demo', '--once'], { env });
      assert.equal(code, 2);
      assert.match(stderr, /^clew demo: the Redis at REDIS_URL cannot be used: ECONNREFUSED\.\n$/);
    });
  });

  it('uses the PostgreSQL at DATABASE_URL and leaves nothing behind in it', async function () {
    const url = await requireService(this, 'postgresql');
    const env = { ...(await alone()), DATABASE_URL: url };
    const result = await runNode([CLI, 'demo', '--json'], { env });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const { scenes: played, traces, faults } = answerIn(result.stdout);
    assert.deepEqual([traces, faults], [REQUESTS, 0]);
    assert.deepEqual(
      played.map(({ requests }: { requests: object[] }) => requests.length),
      scenes.map(({ requests }) => requests.length),
    );
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
    const [, page = ''] = await running.waitFor(/The traces are on a page: (http:\S+)/);
    const { traces } = (await (await fetch(`${page}clew/summary`)).json()) as { traces: number };
    assert.equal(traces, REQUESTS);
    await askAboutDemo(page);
    assert.equal((await fetch(`${url}/products/3`)).status, 200);
    await running.waitFor(/Ctrl-C[^]*GET \/products\/:id +\/products\/3 /);
    running.child.kill('SIGINT');
    const result = await running.result();
    assert.equal(result.code, 0, result.stderr);
    assert.equal(await accepts(Number(new URL(url).port)), false, 'the shop has ended');
  });

  it('reports which port is in use, and what to do', async () => {
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

  it('reports in one line that the database cannot be reached', async () => {
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

  it('explains each of them within 80 columns, and each prints JSON', async function () {
    this.timeout(120_000);
    for (const command of Object.keys(commands)) {
      const { code, stdout } = await runNode([CLI, command, '--help']);
      assert.equal(code, 0, command);
      const long = stdout.split('\n').filter((line) => line.length > 80);
      assert.deepEqual(long, [], command);
      // The protocol of `clew mcp` is JSON as it is.
      assert.equal(/^ {2}--json /m.test(stdout), command !== 'mcp', command);
    }
  });

  it('refuses an unknown command with its name and exit code 2', async () => {
    const result = await runNode([CLI, 'dance']);
    assert.equal(result.code, 2);
    assert.match(result.stderr, /^clew: there is no command `dance`\./);
  });
});
