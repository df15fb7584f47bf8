import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { nodeOfLine } from './support/other-nodes.ts';
import { OtlpReceiver, type ReceivedSpan } from './support/otlp-receiver.ts';
import { toObject } from './support/otlp-types.ts';
import {
  fixture,
  REGISTER_PATH,
  REGISTER_URL,
  runNode,
  RunningNode,
  type Result,
} from './support/run-node.ts';
import { requireService } from './support/services.ts';

describe('clew/register', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;

  beforeEach(async () => {
    receiver = await new OtlpReceiver().listen();
  });

  afterEach(() => receiver.close());

  const exportTo = (): Record<string, string> => ({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });

  describe('traces an application that contains no tracing code', () => {
    let databaseUrl: string;

    before(async function () {
      databaseUrl = await requireService(this, 'postgresql', { embedded: true });
    });

    for (const [title, args] of [
      ['an ES module under --import', ['--import', REGISTER_URL, fixture('query.mjs')]],
      ['a CommonJS module under --import', ['--import', REGISTER_URL, fixture('query.cjs')]],
      ['a CommonJS module under --require', ['--require', REGISTER_PATH, fixture('query.cjs')]],
      ['an ES module under --require', ['--require', REGISTER_PATH, fixture('query.mjs')]],
    ] as const) {
      it(`${title}: request and query in one trace`, async () => {
        const env = { ...exportTo(), DATABASE_URL: databaseUrl };
        const result = await runNode([...args], { env });
        assert.equal(result.stdout, 'answer 1\n', result.stderr);
        assert.equal(result.stderr, '');
        assert.equal(result.code, 0);
        const spans = await receiver.waitForSpans(3);
        const kinds = spans.map((span) => span.kind).toSorted((a, b) => a - b);
        assert.deepEqual(kinds, [2, 3, 3], 'one SERVER span, two CLIENT spans');
        const server = spans.find((span) => span.kind === 2);
        const query = spans.find((span) => attribute(span, 'db.system.name') === 'postgresql');
        assert.equal(query?.parentSpanId, server?.spanId, 'the query belongs to its request');
        assert.equal(query?.traceId, server?.traceId);
      });
    }
  });

  it('describes the process that the spans come from', async () => {
    const running = await serve(receiver, { OTEL_SERVICE_NAME: 'named' });
    running.child.kill('SIGTERM');
    await running.result();
    const [span] = receiver.spans;
    const { resource } = span as ReceivedSpan;
    assert.equal(resource['service.name'], 'named');
    assert.equal(resource['service.version'], manifest.version);
    assert.equal(resource['host.name'], hostname());
    assert.equal(Number(resource['process.pid']), running.child.pid);
    assert.match(String(resource['service.instance.id']), /^[0-9a-f-]{36}$/);
  });

  it('names the service after the application’s package where no name is set', async () => {
    const running = await serve(receiver);
    running.child.kill('SIGTERM');
    await running.result();
    const [span] = receiver.spans;
    assert.equal(span?.resource['service.name'], 'clew');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`sends what has ended before ${signal} ends the process as it would have`, async () => {
      const running = await serve(receiver, { OTEL_BSP_SCHEDULE_DELAY: '60000' });
      assert.equal(receiver.spans.length, 0, 'the span still waits in the queue');
      running.child.kill(signal);
      const result = await running.result();
      assert.deepEqual([result.code, result.signal], [null, signal]);
      assert.equal(receiver.spans.length, 1);
    });
  }

  it('leaves the end to an application that handles the signal itself', async () => {
    const running = await serve(receiver, {}, ['--own-handler']);
    running.child.kill('SIGTERM');
    const result = await running.result();
    assert.match(result.stdout, /own handler/);
    assert.deepEqual([result.code, result.signal], [7, null]);
  });

  it('ends within 2 s at SIGTERM although the collector hangs', async () => {
    receiver.fault = () => ({ hang: true });
    const running = await serve(receiver);
    const started = performance.now();
    running.child.kill('SIGTERM');
    const result = await running.result();
    assert.equal(result.signal, 'SIGTERM');
    assert.ok(performance.now() - started < 2000);
  });

  describe('repairs a queue that loses its callers', () => {
    const parentsOf = (spans: ReceivedSpan[]): (string | undefined)[] =>
      ['a', 'b', 'c'].map((name) => {
        const after = spans.find((span) => span.name === `after ${name}`);
        return spans.find((span) => span.spanId === after?.parentSpanId)?.name;
      });
    const run = async (env: Record<string, string>): Promise<ReceivedSpan[]> => {
      const args = ['--import', REGISTER_URL, fixture('fastq.cjs')];
      const result = await runNode(args, { env: { ...exportTo(), ...env } });
      assert.equal(result.stderr, '');
      return receiver.waitForSpans(6);
    };

    it('and reports it on the span', async () => {
      const spans = await run({});
      assert.deepEqual(parentsOf(spans), ['call a', 'call b', 'call c']);
      const repaired = spans.map((span) => toObject(span.attributes)['clew.repaired']);
      assert.ok(repaired.includes('task:fastq'), String(repaired));
    });

    it('also beside a rule file with a mistake, which is reported with its line', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
      writeFileSync(
        join(folder, 'clew.rules.json'),
        '{\n  "rules": { "own-queue": { "push": "tsk" } }\n}\n',
      );
      try {
        const args = ['--import', REGISTER_URL, fixture('fastq.cjs')];
        const result = await runNode(args, { env: exportTo(), cwd: folder });
        assert.match(result.stderr, /^clew: \S+clew\.rules\.json:2: .*`own-queue`.*`tsk`.*\n$/);
        const spans = await receiver.waitForSpans(6);
        assert.deepEqual(parentsOf(spans), ['call a', 'call b', 'call c']);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('but not with CLEW_REPAIR=off', async () => {
      assert.notDeepEqual(parentsOf(await run({ CLEW_REPAIR: 'off' })), [
        'call a',
        'call b',
        'call c',
      ]);
    });
  });

  describe('reports what is wrong in one line, and the application starts', () => {
    const hello = (env: Record<string, string>, node?: string): Promise<Result> =>
      runNode(['--import', REGISTER_URL, fixture('hello.mjs')], {
        env,
        ...(node === undefined ? {} : { node }),
      });

    it('a malformed URL', async () => {
      const result = await hello({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' });
      assert.equal(result.stdout, 'hello\n');
      assert.equal(result.code, 0);
      assert.match(
        result.stderr,
        /^clew: Expected `OTEL_EXPORTER_OTLP_ENDPOINT` to be a URL .* got `localhost:4318`, without `http:\/\/`\.\n$/,
      );
    });

    it('nothing at all when all is well, though nothing listens at the endpoint', async () => {
      const result = await hello({});
      assert.deepEqual([result.stdout, result.stderr, result.code], ['hello\n', '', 0]);
    });

    it('nothing with OTEL_SDK_DISABLED', async () => {
      const result = await hello({ OTEL_SDK_DISABLED: 'true' });
      assert.deepEqual([result.stdout, result.stderr, result.code], ['hello\n', '', 0]);
    });

    it('a Node that is too old', async function () {
      this.timeout(120_000);
      const result = await runNode(['--import', REGISTER_URL, fixture('hello.mjs')], {
        node: nodeOfLine('18'),
      });
      assert.equal(result.stdout, 'hello\n');
      assert.equal(result.code, 0);
      assert.match(
        result.stderr,
        /^clew: Node 18\S+ is too old, clew needs 20\.19 or later\..*\n$/,
      );
    });

    it('nothing where no SDK is installed: one comes with clew', async () => {
      const project = installWithoutSdk();
      try {
        const register = join(project, 'node_modules', 'clew', 'build', 'package', 'register.js');
        const result = await runNode(
          ['--import', pathToFileURL(register).href, fixture('hello.mjs')],
          { cwd: project },
        );
        assert.equal(result.stdout, 'hello\n');
        assert.equal(result.code, 0);
        assert.equal(result.stderr, '');
      } finally {
        rmSync(project, { recursive: true });
      }
    });
  });

  it('reports that spans were lost at the end because no collector answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as AddressInfo;
    await new Promise((resolve) => silent.close(resolve));
    const running = await serve(receiver, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    });
    running.child.kill('SIGTERM');
    const { stderr } = await running.result();
    assert.match(
      stderr,
      /^clew: No spans reach .*\nclew: Of 1 span that ended, 1 was lost: 1 not sent before the end\..*\n$/,
    );
  });
});

/** Starts the server fixture under the preload and sends it one request. */
async function serve(
  receiver: OtlpReceiver,
  env: Record<string, string> = {},
  args: string[] = [],
): Promise<RunningNode> {
  const running = new RunningNode(['--import', REGISTER_URL, fixture('http-server.mjs'), ...args], {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env },
  });
  const [, port] = await running.waitFor(/port (\d+)/);
  const response = await fetch(`http://127.0.0.1:${port}/`);
  await response.text();
  return running;
}

function attribute(span: ReceivedSpan, key: string): unknown {
  return toObject(span.attributes)[key];
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};

/** A project in which clew is installed with its dependencies and without its optional peers. */
function installWithoutSdk(): string {
  const project = mkdtempSync(join(tmpdir(), 'clew-test-'));
  const clew = join(project, 'node_modules', 'clew');
  cpSync(join(ROOT, 'build', 'package'), join(clew, 'build', 'package'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(clew, 'package.json'));
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return project;
}
