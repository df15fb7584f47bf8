import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { context, propagation, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import type * as ioredis from 'ioredis';
import type * as redis from 'redis';

import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import { requireService } from '../../support/services.ts';
import { inSpan, linkedTo } from '../messaging/spans.ts';
import { registerTelemetry, type Telemetry } from '../support/telemetry.ts';

const require = createRequire(import.meta.url);
const SECRET = 'hunter2';
const GROUP = 'workers';

type Argument = string | Buffer;

/** A client by which any command can be sent as it goes over the wire, and one in its own words. */
interface Client {
  send(...command: Argument[]): Promise<unknown>;
  add(stream: string, fields: Record<string, string>): Promise<string | null>;
  read(stream: string, blockMillis?: number): Promise<unknown>;
  readGroup(stream: string): Promise<unknown>;
  publish(channel: string, message: string): Promise<unknown>;
  /** Adds two entries, of which the second carries a trace, by a pipeline or a transaction. */
  addBatch(stream: string, isTransaction: boolean): Promise<unknown>;
  close(): void;
}

/** What an application puts into an entry by itself. */
const OWN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const ofIoredis =
  (name: string, options: object = {}) =>
  async (url: string) => {
    const { Redis } = require(name) as typeof ioredis;
    const client = new Redis(url, options);
    return {
      send: (command, ...args) => client.call(String(command), ...args),
      add: (stream, fields) => client.xadd(stream, '*', ...Object.entries(fields).flat()),
      read: (stream, block) =>
        block === undefined
          ? client.xread('STREAMS', stream, '0')
          : client.xread('BLOCK', block, 'STREAMS', stream, '$'),
      readGroup: (stream) =>
        client.xreadgroup('GROUP', GROUP, 'one', 'COUNT', 10, 'STREAMS', stream, '>'),
      publish: (channel, message) => client.publish(channel, message),
      addBatch: (stream, isTransaction) =>
        (isTransaction ? client.multi() : client.pipeline())
          .xadd(stream, '*', 'order', '1')
          .xadd(stream, '*', 'order', '2', 'traceparent', OWN)
          .xlen(stream)
          .exec(),
      close: () => client.disconnect(),
    } satisfies Client;
  };

const ofRedis =
  (name: string, options: object = {}) =>
  async (url: string) => {
    const { createClient } = require(name) as typeof redis;
    const client = createClient({ url, ...options });
    await client.connect();
    return {
      send: (...command) => client.sendCommand(command),
      add: (stream, fields) => client.xAdd(stream, '*', fields),
      read: (stream, BLOCK) =>
        client.xRead(
          { key: stream, id: BLOCK === undefined ? '0' : '$' },
          BLOCK === undefined ? {} : { BLOCK },
        ),
      readGroup: (stream) => client.xReadGroup(GROUP, 'one', { key: stream, id: '>' }),
      publish: (channel, message) => client.publish(channel, message),
      addBatch: (stream, isTransaction) => {
        const batch = client
          .multi()
          .xAdd(stream, '*', { order: '1' })
          .xAdd(stream, '*', { order: '2', traceparent: OWN })
          .xLen(stream);
        return isTransaction ? batch.exec() : batch.execAsPipeline();
      },
      close: () => void client.disconnect(),
    } satisfies Client;
  };

const LIBRARIES: Record<string, { client: string; open: (url: string) => Promise<Client> }> = {
  ioredis: { client: 'ioredis', open: ofIoredis('ioredis') },
  'ioredis with pipelines of its own': {
    client: 'ioredis',
    open: ofIoredis('ioredis', { enableAutoPipelining: true }),
  },
  iovalkey: { client: 'ioredis', open: ofIoredis('iovalkey') },
  redis: { client: 'redis', open: ofRedis('redis') },
  'redis with RESP 3': { client: 'redis', open: ofRedis('redis', { RESP: 3 }) },
  'redis 4': { client: 'redis', open: ofRedis('redis-4') },
};

for (const [name, library] of Object.entries(LIBRARIES)) {
  describe(`streams and channels of ${name}`, () => {
    let url: string;
    let telemetry: Telemetry;
    let instrumentation: Instrumentation<object>;
    let client: Client;
    let stream: string;
    let runs = 0;

    before(async function () {
      this.timeout(120_000);
      url = await requireService(this, 'redis');
    });
    beforeEach(async () => {
      telemetry = registerTelemetry();
      propagation.disable();
      propagation.setGlobalPropagator(
        new CompositePropagator({
          propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
        }),
      );
      instrumentation = getInstrumentations().find(
        ({ instrumentationName }) => instrumentationName === `clew/${library.client}`,
      )!;
      instrumentation.enable();
      client = await library.open(url);
      stream = `orders-${process.pid}-${++runs}`;
      await client.send('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM');
      telemetry.reset();
    });
    afterEach(async () => {
      await client.send('DEL', stream);
      client.close();
      instrumentation.disable();
    });

    const named = (start: string) =>
      telemetry.spans().filter(({ name: each }) => each.startsWith(start));
    const carrying = (): void => instrumentation.setConfig({ streamContext: true });

    it('records what is sent, received and settled, and no value', async () => {
      const { port } = new URL(url);
      const common = {
        'messaging.system.name': 'redis',
        'messaging.system': 'redis',
        'messaging.destination.name': stream,
        'server.port': Number(port),
        'db.system.name': 'redis',
      };
      const id = await inSpan('request', async () => {
        const added = await client.add(stream, { order: SECRET });
        await client.readGroup(stream);
        await client.send('XACK', stream, GROUP, added!);
        await client.publish(`${stream}:done`, SECRET);
        return added;
      });
      const expected = [
        [`send ${stream}`, SpanKind.PRODUCER, 'send', 'send', { 'messaging.message.id': id }],
        [
          `receive ${stream}`,
          SpanKind.CLIENT,
          'receive',
          'receive',
          {
            'messaging.message.id': id,
            'messaging.consumer.group.name': GROUP,
            'messaging.batch.message_count': 1,
          },
        ],
        [`ack ${stream}`, SpanKind.CLIENT, 'ack', 'settle', { 'messaging.batch.message_count': 1 }],
        [
          `send ${stream}:done`,
          SpanKind.PRODUCER,
          'send',
          'send',
          { 'messaging.destination.name': `${stream}:done` },
        ],
      ] as const;
      const [request] = named('request');
      for (const [spanName, kind, operation, type, more] of expected) {
        const span = telemetry.spans().find((each) => each.name === spanName);
        assert.ok(span, spanName);
        assert.equal(span.kind, kind);
        assert.equal(span.parentSpanContext?.spanId, request?.spanContext().spanId);
        const wanted = {
          ...common,
          'messaging.operation.name': operation,
          'messaging.operation.type': type,
          ...more,
        };
        for (const [key, value] of Object.entries(wanted)) {
          assert.equal(span.attributes[key], value, `${key} of ${spanName}`);
        }
      }
      assert.equal(telemetry.spans().length, expected.length + 1);
      assert.ok(!JSON.stringify(telemetry.spans().map((s) => s.attributes)).includes(SECRET));
    });

    it('makes no span of a wait that finds nothing, and changes no entry', async () => {
      await client.read(stream, 20);
      await client.readGroup(stream);
      assert.deepEqual(telemetry.spans(), []);
      await inSpan('request', () => client.add(stream, { order: SECRET }));
      const read = JSON.stringify(await client.read(stream));
      assert.ok(read.includes(SECRET));
      assert.ok(!read.includes('traceparent'));
    });

    it('links a reader to the producers whose context is in the fields', async () => {
      carrying();
      const started = Date.now();
      await inSpan('request', () => client.add(stream, { order: '1' }));
      await inSpan('request', () => client.add(stream, { order: '2' }));
      await client.readGroup(stream);
      const [received, ...more] = named('receive');
      assert.deepEqual(more, []);
      assert.ok(received);
      assert.equal(received.parentSpanContext, undefined);
      assert.deepEqual(
        linkedTo(received),
        named('send').map((span) => span.spanContext().spanId),
      );
      assert.equal(received.attributes['messaging.batch.message_count'], 2);
      assert.ok(received.startTime[0] >= Math.floor(started / 1000));
      // Inside of a span it is below that, with the same links.
      await inSpan('again', () => client.read(stream));
      const [, again] = named('receive');
      assert.deepEqual(linkedTo(again), linkedTo(received));
      assert.equal(again?.parentSpanContext?.spanId, named('again')[0]?.spanContext().spanId);
    });

    it('passes on the context of each of three callers, and leaves one that is there', async () => {
      carrying();
      const ids = await Promise.all(
        ['a', 'b', 'c'].map((caller) =>
          inSpan(caller, async () => {
            await client.add(stream, { caller });
            return [caller, trace.getActiveSpan()?.spanContext().traceId] as const;
          }),
        ),
      );
      await inSpan('own', () => client.add(stream, { caller: 'own', traceparent: OWN }));
      const text = JSON.stringify(await client.read(stream));
      for (const [caller, traceId] of ids) {
        assert.match(text, new RegExp(`"${caller}"[^}\\]]*00-${traceId}-`), caller);
      }
      assert.equal(text.split('traceparent').length, 5);
      assert.ok(text.includes(OWN));
    });

    for (const [kind, isTransaction] of [
      ['pipeline', false],
      ['transaction', true],
    ] as const) {
      it(`puts the context of the ${kind} into its entries, for each of three callers`, async () => {
        carrying();
        const traces = await Promise.all(
          ['a', 'b', 'c'].map((caller) =>
            inSpan(caller, async () => {
              await client.addBatch(stream, isTransaction);
              return trace.getActiveSpan()?.spanContext().traceId;
            }),
          ),
        );
        const batches = telemetry.spans().filter(({ name: each }) => !/^[abc]$/.test(each));
        assert.deepEqual(new Set(batches.map((s) => s.spanContext().traceId)), new Set(traces));
        const text = JSON.stringify(await client.read(stream));
        const found = [...text.matchAll(/00-([0-9a-f]{32})-([0-9a-f]{16})-01/g)];
        const theirs = found.filter(([whole]) => whole !== OWN);
        assert.deepEqual([found.length, theirs.length], [6, 3]);
        assert.deepEqual(
          theirs.map(([, , spanId]) => String(spanId)).toSorted(),
          batches.map((span) => span.spanContext().spanId).toSorted(),
        );
        instrumentation.setConfig({});
        await inSpan('d', () => client.addBatch(stream, isTransaction));
        assert.equal(JSON.stringify(await client.read(stream)).split('traceparent').length, 8);
      });
    }

    it('reads whatever the fields are, and links to nothing that is no context', async () => {
      await client.send(
        'XADD',
        stream,
        '*',
        'traceparent',
        'not one',
        'baggage',
        'x'.repeat(50_000),
      );
      await client.send('XADD', stream, '*', Buffer.from([0xff, 0xfe]), Buffer.from([0]));
      await client.send('XADD', stream, '*', '__proto__', 'x', 'constructor', 'y');
      const read = await inSpan('request', () => client.read(stream));
      assert.ok(JSON.stringify(read).includes('not one'));
      assert.deepEqual(linkedTo(named('receive')[0]), []);
      assert.equal(named('receive')[0]?.attributes['messaging.batch.message_count'], 3);
    });

    it('records an error of a reader, and of a sender', async () => {
      await assert.rejects(inSpan('request', () => client.readGroup(`${stream}:none`)));
      await client.send('SET', `${stream}:text`, 'x');
      await assert.rejects(
        inSpan('request', () => client.add(`${stream}:text`, { order: SECRET })),
      );
      await client.send('DEL', `${stream}:text`);
      assert.equal(named('receive')[0]?.attributes['error.type'], 'NOGROUP');
      assert.equal(named('send')[0]?.attributes['error.type'], 'WRONGTYPE');
    });

    it('passes on that a request is not sampled', async () => {
      carrying();
      const unsampled = trace.setSpanContext(context.active(), {
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
        traceFlags: TraceFlags.NONE,
      });
      await context.with(unsampled, () => client.add(stream, { order: '2' }));
      assert.deepEqual(telemetry.spans(), []);
      await context.with(unsampled, () => client.addBatch(stream, true));
      assert.deepEqual(telemetry.spans(), []);
      const read = JSON.stringify(await client.read(stream));
      const [, ...passedOn] = read.split('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00');
      assert.equal(passedOn.length, 2);
    });
  });
}
