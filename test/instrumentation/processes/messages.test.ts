import assert from 'node:assert/strict';

import { OtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';
import { toObject } from '../../support/otlp-types.ts';
import { fixture, REGISTER_URL, runNode } from '../../support/run-node.ts';

const PRODUCER = 4;
const CONSUMER = 5;

type Arrived = [
  { name: string; traceId: string; bytes: Record<string, number> } | string,
  string,
][];

describe('messages between threads and processes', function () {
  this.timeout(120_000);

  async function run(kind: string, env: Record<string, string>): Promise<Record<string, Arrived>> {
    const { code, stdout, stderr } = await runNode([fixture('processes/messages.mjs'), kind], {
      env: { NODE_OPTIONS: `--import ${REGISTER_URL}`, OTEL_TRACES_EXPORTER: 'none', ...env },
    });
    assert.deepEqual([code, stderr], [0, '']);
    return JSON.parse(stdout) as Record<string, Arrived>;
  }

  for (const kind of ['thread', 'process']) {
    it(`are heard by listeners of a ${kind} and of its parent in the context they were sent in`, async () => {
      const sides = await run(kind, { CLEW_MESSAGE_CONTEXT: 'on' });
      for (const [side, arrived] of Object.entries(sides)) {
        assert.equal(arrived.length, 4, side);
        for (const [message, traceId] of arrived) {
          if (typeof message === 'string')
            assert.deepEqual([message, traceId], ['outside', 'none']);
          else {
            assert.equal(traceId, message.traceId, side);
            assert.deepEqual(Object.keys(message), ['name', 'traceId', 'bytes']);
            assert.deepEqual(message.bytes, { 0: 1, 1: 2 });
          }
        }
      }
    });

    it(`have spans to and from a ${kind} where these are asked for`, async () => {
      const receiver = await new OtlpReceiver().listen();
      try {
        const sides = await run(kind, {
          CLEW_MESSAGE_CONTEXT: 'spans',
          OTEL_TRACES_EXPORTER: 'otlp',
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        });
        for (const arrived of Object.values(sides)) {
          for (const [message, traceId] of arrived) {
            if (typeof message !== 'string') assert.equal(traceId, message.traceId);
          }
        }
      } finally {
        await receiver.close();
      }
      const { spans } = receiver;
      const below = (parent: ReceivedSpan): ReceivedSpan[] =>
        spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
      const callers = spans.filter(({ name }) => /^[abc]$/.test(name));
      assert.equal(callers.length, 6);
      const chains = callers.map((caller) => {
        const [sent, ...others] = below(caller);
        assert.deepEqual([others, sent?.kind], [[], PRODUCER]);
        const [processed, ...more] = below(sent!);
        assert.deepEqual([more, processed?.kind], [[], CONSUMER]);
        assert.equal(processed?.traceId, caller.traceId);
        return `${sent?.name}, ${processed?.name}`;
      });
      const child = kind === 'thread' ? 'worker' : 'child';
      const pairs = [`send ${child}, process ${child}`, 'send parent, process parent'];
      assert.deepEqual(
        chains.toSorted(),
        pairs.toSorted().flatMap((pair) => Array<string>(3).fill(pair)),
      );
      // What is sent outside of them (`ready`, `outside`, the list at the end) has no spans.
      assert.equal(spans.length, 3 * callers.length);
      const { attributes } = spans.find(({ name }) => name === `process ${child}`)!;
      assert.deepEqual(toObject(attributes), {
        'messaging.system.name': kind === 'thread' ? 'worker_threads' : 'child_process',
        'messaging.system': kind === 'thread' ? 'worker_threads' : 'child_process',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': child,
      });
    });

    it(`carry nothing to a ${kind} unless that is asked for, or where it has no clew`, async () => {
      const given = [{}, { CLEW_MESSAGE_CONTEXT: 'on', BARE_CHILD: '1' }];
      for (const sides of await Promise.all(given.map((env) => run(kind, env)))) {
        for (const arrived of Object.values(sides)) {
          assert.deepEqual(
            arrived.map(([message, traceId]) => [
              typeof message === 'string' ? message : message.name,
              traceId,
            ]),
            ['a', 'b', 'c', 'outside'].map((name) => [name, 'none']),
          );
        }
      }
    });
  }
});
