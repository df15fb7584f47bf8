import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import { StartContext } from '../../../src/instrumentation/processes/start-context.ts';
import { OtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';
import { fixture, REGISTER_URL, runNode } from '../../support/run-node.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const GIVEN = ROOT_CONTEXT.setValue(createContextKey('given'), 1);

describe('the start of a child', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;

  before(async () => {
    receiver = await new OtlpReceiver().listen();
  });
  beforeEach(() => receiver.clear());
  after(() => receiver.close());

  async function run(args: string[], env: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await runNode(args, {
      env: {
        NODE_OPTIONS: `--import ${REGISTER_URL}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        TRACEPARENT: undefined,
        ...env,
      },
    });
    assert.deepEqual([code, stderr], [0, '']);
    return stdout;
  }
  const start = async (modes: string[], env?: Record<string, string>): Promise<Started> =>
    JSON.parse(await run([fixture('processes/starter.mjs'), ...modes], env)) as Started;

  interface Started {
    codes: Record<string, number>;
    later: string;
  }

  /** The name of each span's parent, by its own name; undefined for a root. */
  function parents(): Record<string, string | undefined> {
    const byId = new Map(receiver.spans.map((span) => [span.spanId, span]));
    const parentOf = (span: ReceivedSpan): string | undefined =>
      span.parentSpanId ? (byId.get(span.parentSpanId)?.name ?? 'unknown') : undefined;
    return Object.fromEntries(receiver.spans.map((span) => [span.name, parentOf(span)]));
  }

  it('belongs to its caller with what hangs from it, until a message or a connection comes', async () => {
    const { codes } = await start(['exit', 'messages', 'server']);
    const found = parents();
    for (const kind of ['process', 'thread']) {
      assert.equal(codes[`${kind} exit`], 3);
      for (const mode of ['exit', 'messages', 'server']) {
        const caller = `${kind} ${mode}`;
        assert.equal(found[`${caller}: at the start`], caller);
        assert.equal(found[`${caller}: later`], caller);
      }
      for (const name of ['message one', 'after message one', 'message end', 'after message end']) {
        assert.deepEqual([name, found[`${kind} messages: ${name}`]], [name, undefined]);
        assert.ok(`${kind} messages: ${name}` in found, name);
      }
      assert.equal(found[`${kind} server: in a request`], 'GET');
      assert.ok(`${kind} server: after the request` in found);
      assert.equal(found[`${kind} server: after the request`], undefined);
    }
  });

  it('belongs to what the environment of the process names, and later children do not', async () => {
    const { later } = await start(['exit'], { TRACEPARENT: PARENT });
    const callers = receiver.spans.filter(({ name }) => name.endsWith(' exit'));
    assert.deepEqual(
      callers.map((span) => [span.traceId, span.parentSpanId]),
      [1, 2].map(() => [TRACE_ID, 'b7ad6b7169203331']),
    );
    assert.equal(parents()['process exit: later'], 'process exit');
    assert.equal(later, '');
  });

  for (const [mode, title] of [
    ['off', 'nothing is given or taken'],
    ['give', 'the context is given only'],
    ['take', 'the context is taken only'],
  ] as const) {
    it(`belongs to nothing where ${title}`, async () => {
      await start(['exit'], { CLEW_PROCESS_CONTEXT: mode });
      const found = parents();
      for (const kind of ['process', 'thread']) {
        assert.ok(`${kind} exit: at the start` in found);
        assert.equal(found[`${kind} exit: at the start`], undefined);
      }
    });
  }

  for (const [title, env] of Object.entries({
    'no trace context': { TRACEPARENT: 'rubbish', TRACESTATE: ',,,=', BAGGAGE: '%%%;;==' },
    'a trace id of zeros': { TRACEPARENT: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` },
    'far too much': { TRACEPARENT: 'x'.repeat(100_000), BAGGAGE: `a=${'b'.repeat(100_000)}` },
  })) {
    it(`is a root where the environment has ${title}`, async () => {
      const script = "require('@opentelemetry/api').trace.getTracer('t').startSpan('start').end()";
      await run(['-e', script], env);
      assert.deepEqual(parents(), { start: undefined });
    });
  }

  describe('as the context without another', () => {
    const manager = new AsyncHooksContextManager();
    let started: StartContext | undefined;
    afterEach(() => started?.end());
    before(() => manager.enable());
    after(() => manager.disable());

    it('is active wherever no context is, and the root context within it stays that', () => {
      started = new StartContext(manager, GIVEN, 60_000);
      assert.equal(manager.active(), GIVEN);
      assert.equal(
        manager.with(ROOT_CONTEXT, () => manager.active()),
        ROOT_CONTEXT,
      );
      started.end();
      assert.equal(manager.active(), ROOT_CONTEXT);
      started.end();
    });

    it('ends at its age, without holding the process', async () => {
      started = new StartContext(manager, GIVEN, 20);
      const deadline = performance.now() + 5000;
      while (manager.active() === GIVEN && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.equal(manager.active(), ROOT_CONTEXT);
    });

    it('ends with a connection, before its listeners are called', async () => {
      started = new StartContext(manager, GIVEN, 60_000);
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      assert.equal(manager.active(), GIVEN);
      const accepted = once(server, 'connection').then(() => manager.active());
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
      assert.equal(await accepted, ROOT_CONTEXT);
      client.destroy();
      server.close();
    });
  });
});
