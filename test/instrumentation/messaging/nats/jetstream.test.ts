import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';

import { propagation, SpanKind, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Consumer, JsMsg, NatsConnection, OrderedConsumerOptions } from 'nats';

import { requireService } from '../../../support/services.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { activeSpan, inSpan, linkedTo } from '../spans.ts';
import { instrumentedModules } from '../support/library.ts';

const require = createRequire(import.meta.url);
const SECRET = new TextEncoder().encode('hunter2');

/** What the tests need of JetStream, the same in both generations. */
interface Streams {
  publish(subject: string, data: Uint8Array): Promise<unknown>;
  /** A consumer by its name, or an ordered one of the stream. */
  consumer(
    stream: string,
    nameOrOptions: string | Partial<OrderedConsumerOptions>,
  ): Promise<Consumer>;
  addStream(name: string, subject: string): Promise<unknown>;
  addConsumer(stream: string, config: object): Promise<unknown>;
  removeStream(name: string): Promise<unknown>;
}

interface Generation {
  connect(servers: string): Promise<NatsConnection>;
  streams(connection: NatsConnection): Promise<Streams>;
  /** The packages that are instrumented by hand. */
  packages: readonly string[];
}

type Manager = Awaited<ReturnType<NatsConnection['jetstreamManager']>>;
type Client = ReturnType<NatsConnection['jetstream']>;

interface PushConsumer {
  consume(options?: { callback(message: JsMsg): void }): Promise<AsyncIterable<JsMsg>>;
}
interface PushClient {
  consumers: { getPushConsumer(stream: string, name: string): Promise<PushConsumer> };
}

const streamsOf = (manager: Manager, client: Client): Streams => ({
  publish: (subject, data) => client.publish(subject, data),
  consumer: (stream, name) => client.consumers.get(stream, name),
  addStream: (name, subject) => manager.streams.add({ name, subjects: [subject] }),
  addConsumer: (stream, config) => manager.consumers.add(stream, config),
  removeStream: (name) => manager.streams.delete(name),
});

const GENERATIONS: Record<string, Generation> = {
  nats: {
    connect: (servers) => (require('nats') as typeof import('nats')).connect({ servers }),
    streams: async (connection) =>
      streamsOf(await connection.jetstreamManager(), connection.jetstream()),
    packages: ['nats'],
  },
  '@nats-io/jetstream': {
    connect: (servers) =>
      (require('@nats-io/transport-node') as typeof import('nats')).connect({ servers }),
    streams: async (connection) => {
      const { jetstream, jetstreamManager } = require('@nats-io/jetstream') as {
        jetstream(this: void, of: NatsConnection): Client;
        jetstreamManager(this: void, of: NatsConnection): Promise<Manager>;
      };
      return streamsOf(await jetstreamManager(connection), jetstream(connection));
    },
    packages: ['@nats-io/nats-core', '@nats-io/jetstream'],
  },
};

for (const [name, generation] of Object.entries(GENERATIONS)) {
  describe(`JetStream by ${name}`, function () {
    this.timeout(120_000);
    const instrumented = generation.packages.map((each) => instrumentedModules('nats', each, each));
    let servers: string;
    let telemetry: Telemetry;
    let connection: NatsConnection;
    let streams: Streams;
    let stream: string;
    let subject: string;
    let runs = 0;

    before(async function () {
      servers = await requireService(this, 'nats');
    });
    beforeEach(async () => {
      telemetry = registerTelemetry();
      propagation.disable();
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      for (const each of instrumented) each.enable();
      connection = await generation.connect(servers);
      streams = await generation.streams(connection);
      stream = `S${process.pid}-${name.length}-${++runs}`;
      subject = `${stream}.orders`;
      await streams.addStream(stream, `${stream}.>`);
      await streams.addConsumer(stream, {
        durable_name: 'worker',
        ack_policy: 'explicit',
        filter_subject: `${stream}.>`,
      });
    });
    afterEach(async () => {
      await streams.removeStream(stream);
      await connection.close();
      for (const each of instrumented) each.disable();
    });

    const spansOf = (kind: SpanKind, start = '') =>
      telemetry.spans().filter((span) => span.kind === kind && span.name.startsWith(start));
    const publish = (count: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: count }, (_, at) =>
          inSpan(`caller ${at}`, () => streams.publish(subject, SECRET)),
        ),
      );
    const idsOf = (spans: ReturnType<typeof spansOf>): string[] =>
      spans.map((span) => span.spanContext().spanId).toSorted();

    /** Has a consumer call `handler` for `count` messages. */
    async function consume(
      count: number,
      handler: (message: JsMsg) => unknown,
      isAsync = true,
    ): Promise<void> {
      const consumer = await streams.consumer(stream, 'worker');
      let seen = 0;
      let done = (): void => undefined;
      const all = new Promise<void>((resolve) => (done = resolve));
      const note = (): void => void ((seen += 1) === count && setImmediate(done));
      // A consumer that is made in a request is not under it.
      const messages = await inSpan('the request that began it', () =>
        consumer.consume({
          callback: isAsync
            ? async (message) => {
                await handler(message);
                note();
              }
            : (message) => {
                handler(message);
                note();
              },
        }),
      );
      await all;
      await messages.close();
    }

    it('has a callback work inside a span for each message, linked to its producer', async () => {
      await publish(3);
      const seen: (string | undefined)[] = [];
      await consume(3, async (message) => {
        const own = activeSpan();
        seen.push(own);
        await wait(1);
        assert.equal(activeSpan(), own);
        trace.getTracer('app').startSpan('work').end();
        message.ack();
      });
      const processed = spansOf(SpanKind.CONSUMER);
      const sent = spansOf(SpanKind.PRODUCER, 'request');
      assert.deepEqual([processed.length, sent.length], [3, 3]);
      assert.deepEqual(processed.flatMap(linkedTo).toSorted(), idsOf(sent));
      assert.deepEqual(seen.map(String).toSorted(), idsOf(processed));
      const work = telemetry.spans().filter((span) => span.name === 'work');
      assert.deepEqual(
        work.map(({ parentSpanContext }) => String(parentSpanContext?.spanId)).toSorted(),
        idsOf(processed),
      );
      const { name: spanName, attributes, parentSpanContext } = processed[0]!;
      const { hostname, port } = new URL(servers);
      assert.equal(parentSpanContext, undefined);
      assert.equal(spanName, `process ${stream}.>`);
      assert.deepEqual(attributes, {
        'messaging.system.name': 'nats',
        'messaging.system': 'nats',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': subject,
        'messaging.destination.template': `${stream}.>`,
        'messaging.consumer.group.name': 'worker',
        'messaging.message.body.size': SECRET.length,
        'server.address': hostname,
        'server.port': Number(port),
      });
    });

    if (name === '@nats-io/jetstream') {
      it('has the spans of a push consumer, by a callback and by a loop', async () => {
        const { jetstream } = require(name) as {
          jetstream(this: void, of: NatsConnection): PushClient;
        };
        const consumerOf = async (durable_name: string): Promise<PushConsumer> => {
          const deliver_subject = `deliver.${stream}.${durable_name}`;
          await streams.addConsumer(stream, {
            durable_name,
            deliver_subject,
            ack_policy: 'explicit',
          });
          return jetstream(connection).consumers.getPushConsumer(stream, durable_name);
        };
        await publish(3);
        const seen: (string | undefined)[] = [];
        const pushed = await consumerOf('pushed');
        await new Promise<void>((resolve) => {
          void inSpan('the request that began it', () =>
            pushed.consume({
              callback: (message: JsMsg) => {
                message.ack();
                if (seen.push(activeSpan()) === 3) setImmediate(resolve);
              },
            }),
          );
        });
        const processed = spansOf(SpanKind.CONSUMER, 'process');
        const sent = idsOf(spansOf(SpanKind.PRODUCER, 'request'));
        assert.deepEqual(seen.map(String).toSorted(), idsOf(processed));
        assert.deepEqual(processed.flatMap(linkedTo).toSorted(), sent);
        assert.equal(processed[0]?.attributes['messaging.consumer.group.name'], 'pushed');
        assert.ok(processed.every(({ parentSpanContext }) => parentSpanContext === undefined));

        let left = 3;
        for await (const message of await (await consumerOf('looped')).consume()) {
          message.ack();
          if (--left === 0) break;
        }
        const received = spansOf(SpanKind.CLIENT, 'receive');
        assert.deepEqual(received.flatMap(linkedTo).toSorted(), sent);
      });
    }

    it('has a span for each attempt, and records what put a message off', async () => {
      await publish(1);
      let attempts = 0;
      await consume(
        2,
        (message) => {
          attempts += 1;
          if (attempts === 1) message.nak();
          else message.term();
        },
        false,
      );
      assert.deepEqual(
        spansOf(SpanKind.CONSUMER).map((span) => span.attributes['clew.messaging.settlement']),
        ['nak', 'term'],
      );
      const [first, second] = spansOf(SpanKind.CONSUMER);
      assert.deepEqual(linkedTo(first), linkedTo(second));
    });

    it('records what a loop, fetch and next get, and nothing of what they wait for', async () => {
      const consumer = await streams.consumer(stream, 'worker');
      assert.equal(await consumer.next({ expires: 1000 }), null);
      assert.deepEqual(telemetry.spans(), []);
      await publish(4);
      const got = await inSpan('reader', async () => {
        const first = await consumer.next({ expires: 5000 });
        first?.ack();
        let count = first ? 1 : 0;
        for await (const message of await consumer.fetch({ max_messages: 2, expires: 5000 })) {
          message.ack();
          count += 1;
        }
        // To leave the loop ends it.
        for await (const message of await consumer.consume()) {
          message.ack();
          count += 1;
          break;
        }
        return count;
      });
      assert.equal(got, 4);
      const received = spansOf(SpanKind.CLIENT, 'receive');
      const [reader] = telemetry.spans().filter((span) => span.name === 'reader');
      assert.deepEqual(
        received.map(({ parentSpanContext }) => parentSpanContext?.spanId),
        Array<unknown>(4).fill(reader?.spanContext().spanId),
      );
      assert.deepEqual(
        received.flatMap(linkedTo).toSorted(),
        idsOf(spansOf(SpanKind.PRODUCER, 'request')),
      );
    });

    it('records what an ordered consumer gets once', async () => {
      await publish(2);
      const consumer = await streams.consumer(stream, {});
      const messages = await consumer.fetch({ max_messages: 2, expires: 5000 });
      let count = 0;
      for await (const { subject: of } of messages) {
        assert.equal(of, subject);
        count += 1;
      }
      assert.equal(count, 2);
      assert.equal(spansOf(SpanKind.CLIENT, 'receive').length, 2);
      assert.deepEqual(spansOf(SpanKind.CONSUMER), []);
    });

    it('has the spans of an ordered consumer, by a callback and by `next`', async () => {
      await publish(3);
      const sent = idsOf(spansOf(SpanKind.PRODUCER, 'request'));
      const seen: (string | undefined)[] = [];
      let left = 3;
      const consumer = await streams.consumer(stream, {});
      const messages = await new Promise<{ close(): Promise<unknown> }>((resolve) => {
        const consumed = inSpan('the request that began it', () =>
          consumer.consume({
            callback: async () => {
              seen.push(activeSpan());
              await wait(1);
              trace.getTracer('app').startSpan('work').end();
              if (--left === 0) setImmediate(() => void consumed.then(resolve));
            },
          }),
        );
      });
      await messages.close();
      const processed = spansOf(SpanKind.CONSUMER);
      assert.deepEqual(seen.map(String).toSorted(), idsOf(processed));
      assert.deepEqual(processed.flatMap(linkedTo).toSorted(), sent);
      const parents = telemetry.spans().filter((span) => span.name === 'work');
      assert.deepEqual(
        parents.map(({ parentSpanContext }) => String(parentSpanContext?.spanId)).toSorted(),
        idsOf(processed),
      );
      telemetry.reset();
      const single = await streams.consumer(stream, {});
      assert.equal((await single.next({ expires: 5000 }))?.subject, subject);
      const received = telemetry.onlySpan();
      assert.match(received.name, /^receive /);
      assert.ok(sent.includes(String(linkedTo(received)[0])));
    });

    if (name === 'nats') {
      it('has the spans of `subscribe`, wherever its messages are delivered to', async () => {
        const client = connection.jetstream();
        const { consumerOpts } = require('nats') as typeof import('nats');
        await publish(2);
        const sent = idsOf(spansOf(SpanKind.PRODUCER, 'request'));
        for (const deliver of [`deliver.${stream}`, `_INBOX.${stream}`]) {
          telemetry.reset();
          const options = consumerOpts().durable(`d${deliver.length}`).manualAck();
          const seen: (string | undefined)[] = [];
          let finish = (): void => undefined;
          const all = new Promise<void>((resolve) => (finish = resolve));
          options.deliverTo(deliver).callback((error, message) => {
            assert.equal(error, null);
            seen.push(activeSpan());
            if (seen.length === 1) message?.nak();
            else message?.ack();
            if (seen.length === 3) setImmediate(finish);
          });
          const subscription = await inSpan('the request that began it', () =>
            client.subscribe(`${stream}.>`, options),
          );
          await all;
          subscription.unsubscribe();
          const processed = spansOf(SpanKind.CONSUMER);
          assert.deepEqual(seen.map(String).toSorted(), idsOf(processed));
          assert.deepEqual([...new Set(processed.flatMap(linkedTo))].toSorted(), sent);
          const { attributes, name: spanName } = processed[0]!;
          assert.equal(spanName, `process ${stream}.>`);
          assert.equal(attributes['messaging.consumer.group.name'], `d${deliver.length}`);
          assert.equal(attributes['clew.messaging.settlement'], 'nak');
          assert.equal(spansOf(SpanKind.CLIENT).length, 0);

          telemetry.reset();
          const looped = consumerOpts().durable(`l${deliver.length}`).deliverTo(`${deliver}.loop`);
          let left = 2;
          for await (const message of await client.subscribe(`${stream}.>`, looped)) {
            message.ack();
            if (--left === 0) break;
          }
          assert.deepEqual(spansOf(SpanKind.CLIENT, 'receive').flatMap(linkedTo).toSorted(), sent);
          assert.deepEqual(spansOf(SpanKind.CONSUMER), []);
        }
        // A subscription of the application's own to such a subject is one again.
        telemetry.reset();
        const heard = new Promise<void>((resolve) => {
          connection.subscribe(`deliver.${stream}`, { callback: () => setImmediate(resolve) });
        });
        connection.publish(`deliver.${stream}`);
        await heard;
        assert.equal(spansOf(SpanKind.CONSUMER).length, 1);
      });
    }

    it('leaves the client as it was when it is disabled', async () => {
      await publish(1);
      for (const each of instrumented) each.disable();
      telemetry.reset();
      await consume(1, (message) => message.ack());
      assert.deepEqual(
        telemetry.spans().map((span) => span.name),
        ['the request that began it'],
      );
    });
  });
}
