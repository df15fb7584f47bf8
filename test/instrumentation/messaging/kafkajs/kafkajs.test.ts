import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { propagation, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { IHeaders, Kafka, KafkaMessage, Message } from 'kafkajs';

import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { assertNoDifference, describeError } from '../../support/differential.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { describeMessagingForms } from '../support/forms.ts';
import { withoutOurs } from '../support/headers.ts';
import { instrumentedLibrary } from '../support/library.ts';
import { forms, type Target } from './forms.ts';

process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
const require = createRequire(import.meta.url);
const SECRET = 'hunter2';

for (const alias of ['kafkajs', 'kafkajs-2.0']) {
  describe(alias, function () {
    this.timeout(120_000);
    const library = require(alias) as typeof import('kafkajs');
    const instrumented = instrumentedLibrary('kafkajs', alias);
    let telemetry: Telemetry;
    let brokers: string[];
    let runs = 0;

    before(async function () {
      brokers = [new URL(await requireService(this, 'kafka')).host];
    });
    beforeEach(() => {
      telemetry = registerTelemetry();
      propagation.disable();
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      instrumented.setConfig({});
    });
    afterEach(() => instrumented.disable());

    const client = (): Kafka =>
      new library.Kafka({ brokers, clientId: 'shop', logLevel: library.logLevel.NOTHING });

    const newTopic = async (kafka: Kafka): Promise<string> => {
      const topic = `${alias}-${process.pid}-${++runs}`;
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
      await admin.disconnect();
      return topic;
    };

    const send = async (kafka: Kafka, topic: string, ...messages: Message[]): Promise<unknown> => {
      const producer = kafka.producer();
      await producer.connect();
      const result = await producer.send({ topic, messages });
      await producer.disconnect();
      return result;
    };

    /** What a consumer gets of a topic until it has so many messages. */
    const receive = async (kafka: Kafka, topic: string, count: number): Promise<KafkaMessage[]> => {
      const seen: KafkaMessage[] = [];
      const consumer = kafka.consumer({ groupId: `${topic}-${++runs}`, maxWaitTimeInMs: 50 });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await called((done) => {
        const eachMessage = async ({ message }: { message: KafkaMessage }): Promise<void> => {
          if (seen.push(message) === count) setImmediate(done);
        };
        void consumer.run({ eachMessage });
      });
      await consumer.disconnect();
      return seen;
    };

    describe('every API form', () => {
      before(() => instrumented.enable());
      describeMessagingForms<Target>({
        name: alias,
        forms,
        open: async () => {
          instrumented.enable();
          const kafka = client();
          const admin = kafka.admin();
          const producer = kafka.producer();
          await Promise.all([admin.connect(), producer.connect()]);
          const close = (): Promise<unknown> => {
            return Promise.all([admin.disconnect(), producer.disconnect()]);
          };
          return { target: { kafka, admin, producer }, close };
        },
      });
    });

    it('records the conventions of Kafka, and nothing of a key or a payload', async () => {
      instrumented.enable();
      const kafka = client();
      const topic = await newTopic(kafka);
      await send(kafka, topic, { key: SECRET, value: SECRET, headers: { token: SECRET } });
      await receive(kafka, topic, 1);
      const [sent, processed] = telemetry.spans();
      const common = {
        'messaging.system.name': 'kafka',
        'messaging.system': 'kafka',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': 0,
      };
      assert.equal(sent?.name, `send ${topic}`);
      assert.equal(sent.kind, SpanKind.PRODUCER);
      assert.deepEqual(sent.attributes, {
        ...common,
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
      });
      assert.equal(processed?.name, `process ${topic}`);
      assert.equal(processed.kind, SpanKind.CONSUMER);
      const group = processed.attributes['messaging.consumer.group.name'];
      assert.ok(String(group).startsWith(topic));
      assert.deepEqual(processed.attributes, {
        ...common,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.consumer.group.name': group,
      });
      assert.deepEqual(
        processed.links.map(({ context }) => context.spanId),
        [sent.spanContext().spanId],
      );
      const all = telemetry
        .spans()
        .map(({ attributes, events, name }) => [attributes, events, name]);
      assert.ok(!JSON.stringify(all).includes(SECRET));
    });

    it('links a batch to all its producers', async () => {
      instrumented.enable();
      const kafka = client();
      const topic = await newTopic(kafka);
      await send(kafka, topic, { value: '1' }, { value: '2' });
      await send(kafka, topic, { value: '3' });
      const sent = telemetry.spans().map((span) => span.spanContext().spanId);
      assert.equal(telemetry.spans()[0]?.attributes['messaging.batch.message_count'], 2);
      telemetry.reset();
      const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 50 });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await called((done) => {
        void consumer.run({ eachBatch: async () => void setImmediate(done) });
      });
      await consumer.disconnect();
      const batch = telemetry.onlySpan();
      assert.equal(batch.attributes['messaging.batch.message_count'], 3);
      assert.deepEqual(
        batch.links.map(({ context }) => context.spanId),
        sent,
      );
    });

    it('has the error of a handler and of a send, in its class alone', async () => {
      instrumented.enable();
      const kafka = client();
      const producer = kafka.producer();
      const refused = producer.send({ topic: 'x', messages: [{ value: SECRET }] });
      await assert.rejects(refused, /The producer is disconnected/);
      const sent = telemetry.onlySpan();
      assert.equal(sent.status.code, SpanStatusCode.ERROR);
      assert.equal(sent.attributes['error.type'], 'KafkaJSError');
    });

    it('is served whatever headers a message has', async () => {
      const kafka = client();
      const topic = await newTopic(kafka);
      const hostile: IHeaders[] = [
        { traceparent: 'not one', baggage: '=;,' },
        { traceparent: ['00-', 'two'], tracestate: '' },
        { traceparent: Buffer.alloc(100_000, 'x'), baggage: Buffer.alloc(500_000, 'a=b,') },
      ];
      await send(kafka, topic, ...hostile.map((headers) => ({ value: 'text', headers })));
      instrumented.enable();
      const messages = await receive(client(), topic, hostile.length);
      assert.deepEqual(
        messages.map(({ value }) => value?.toString()),
        ['text', 'text', 'text'],
      );
      assert.deepEqual(
        telemetry.spans().map(({ links }) => links.length),
        [0, 0, 0],
      );
    });

    it('makes no span for a consumer that is idle', async () => {
      instrumented.enable();
      const kafka = client();
      const topic = await newTopic(kafka);
      const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 20 });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({ eachMessage: async () => undefined });
      await new Promise((resolve) => setTimeout(resolve, 300));
      await consumer.disconnect();
      assert.deepEqual(telemetry.spans(), []);
    });

    it('does the same, bare and instrumented', async () => {
      const setUp = client();
      const topics = [await newTopic(setUp), await newTopic(setUp)];
      const spans = await assertNoDifference(async () => {
        const seen: unknown[] = [];
        const kafka = client();
        const topic = topics.pop()!;
        const producer = kafka.producer();
        seen.push(Object.keys(producer), producer.send.length, producer.send.name);
        await producer.connect();
        const headers = Object.freeze({ a: 'text', b: Buffer.from('b'), c: ['x', 'y'] });
        class Own {
          value = 'own';
          get key(): string {
            return 'inherited';
          }
        }
        const messages = Object.freeze([
          Object.freeze({ value: '1', headers }),
          new Own(),
          { value: null },
        ]) as unknown as Message[];
        const attempt = async (name: string, fn: () => unknown): Promise<void> => {
          try {
            seen.push([name, await fn()]);
          } catch (error) {
            seen.push([name, describeError(error)]);
          }
        };
        await attempt('sent', async () => {
          const [{ baseOffset, errorCode }] = (await producer.send({
            topic,
            messages,
          })) as unknown as [{ baseOffset?: string; errorCode: number }];
          return [baseOffset, errorCode];
        });
        await attempt('nothing', () => producer.send(undefined as never));
        await attempt('no topic', () => producer.send({ topic: '', messages: [] }));
        await attempt('no messages', () => producer.send({ topic, messages: 7 as never }));
        await attempt('no value', () =>
          producer.send({ topic, messages: [{ value: '1' }, { key: 'k' } as Message] }),
        );
        await attempt('null message', () => producer.send({ topic, messages: [null as never] }));
        await attempt('bad batch', () =>
          producer.sendBatch({ topicMessages: [{ topic, messages: undefined as never }] }),
        );
        await attempt('bad transaction', () => producer.transaction());
        await attempt('bad event', () => producer.on('no event' as never, () => undefined));
        await producer.disconnect();
        await attempt('disconnected', () => producer.send({ topic, messages: [{ value: '1' }] }));
        const order: unknown[] = [];
        const consumer = kafka.consumer({
          groupId: topic,
          maxWaitTimeInMs: 50,
          retry: { initialRetryTime: 5 },
        });
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        let failures = 0;
        await called((done) => {
          const config = Object.freeze({
            autoCommit: true,
            async eachMessage(this: object, payload: { message: KafkaMessage }): Promise<void> {
              const { key, value, offset, headers: got } = payload.message;
              order.push([
                this.constructor.name,
                Object.keys(payload),
                String(key),
                String(value),
                offset,
                withoutOurs(got),
              ]);
              if (offset === '1' && failures++ === 0) throw new Error('once');
              if (offset === '2') setImmediate(done);
            },
          });
          void consumer.run(config);
        });
        await consumer.disconnect();
        return JSON.parse(JSON.stringify([seen, order]).replaceAll(topic, 'topic')) as unknown;
      }, instrumented);
      assert.ok(spans > 5);
    });
  });
}
