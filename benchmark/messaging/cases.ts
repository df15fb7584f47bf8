import { createRequire } from 'node:module';

import type * as Amqplib from 'amqplib';
import type * as Bullmq from 'bullmq';
import type { BullMQOtel } from 'bullmq-otel';
import type * as Ioredis from 'ioredis';
import type * as Kafkajs from 'kafkajs';
import type * as Mqtt from 'mqtt';
import type * as Nats from 'nats';

import type { MessagingCase } from './variants.ts';

/*
 * The libraries that are measured. Each is loaded after it is instrumented, by `require`, which is where
 * the official packages look without a loader.
 */
const requireLibrary = createRequire(import.meta.url);
const NAME = `bench-${process.pid}`;
const text = Buffer.from('{"order":7}');

/** Hands each message that is handled to whoever sent it: there is one at a time. */
class Turn {
  #done: (() => void) | undefined;

  readonly handled = (): void => this.#done?.();

  wait(send: () => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      Promise.resolve(send()).catch(reject);
    });
  }
}

const ALL: readonly MessagingCase[] = [
  {
    name: 'bullmq add and process',
    count: 200,
    library: 'bullmq',
    server: 'REDIS_URL',
    hasOfficial: true,
    async open(isOfficial) {
      const { Queue, Worker } = requireLibrary('bullmq') as typeof Bullmq;
      const { Redis } = requireLibrary('ioredis') as typeof Ioredis;
      const otel = requireLibrary('bullmq-otel') as { BullMQOtel: typeof BullMQOtel };
      const connection = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null });
      const options = {
        connection,
        ...(isOfficial && { telemetry: new otel.BullMQOtel() }),
      } as Bullmq.QueueOptions;
      const queue = new Queue(NAME, options);
      const turn = new Turn();
      const worker = new Worker(NAME, async () => undefined, options);
      worker.on('completed', turn.handled);
      await worker.waitUntilReady();
      return {
        exchange: () =>
          turn.wait(() => queue.add('order', { order: 7 }, { removeOnComplete: true })),
        close: async () => {
          await worker.close();
          await queue.obliterate({ force: true });
          await queue.close();
          connection.disconnect();
        },
      };
    },
  },
  {
    name: 'amqplib publish and consume',
    count: 100,
    library: 'amqplib',
    server: 'RABBITMQ_URL',
    hasOfficial: true,
    official: async () => [
      new (await import('@opentelemetry/instrumentation-amqplib')).AmqplibInstrumentation(),
    ],
    async open() {
      const { connect } = requireLibrary('amqplib') as typeof Amqplib;
      const connection = await connect(process.env['RABBITMQ_URL']!);
      const channel = await connection.createChannel();
      await channel.assertQueue(NAME, { autoDelete: true });
      const turn = new Turn();
      await channel.consume(NAME, (message) => {
        if (message) channel.ack(message);
        turn.handled();
      });
      return {
        exchange: () => turn.wait(() => void channel.sendToQueue(NAME, text)),
        close: () => connection.close(),
      };
    },
  },
  {
    name: 'kafkajs send and eachMessage',
    count: 200,
    library: 'kafkajs',
    server: 'KAFKA_URL',
    hasOfficial: true,
    official: async () => [
      new (await import('@opentelemetry/instrumentation-kafkajs')).KafkaJsInstrumentation(),
    ],
    async open() {
      const { Kafka, logLevel } = requireLibrary('kafkajs') as typeof Kafkajs;
      const brokers = [new URL(process.env['KAFKA_URL']!).host];
      const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({
        topics: [{ topic: NAME, numPartitions: 1, replicationFactor: 1 }],
      });
      await admin.disconnect();
      const producer = kafka.producer();
      const consumer = kafka.consumer({ groupId: NAME, maxWaitTimeInMs: 5 });
      await Promise.all([producer.connect(), consumer.connect()]);
      await consumer.subscribe({ topic: NAME, fromBeginning: true });
      const turn = new Turn();
      await consumer.run({ eachMessage: async () => turn.handled() });
      return {
        exchange: () =>
          turn.wait(() => producer.send({ topic: NAME, messages: [{ value: text }] })),
        close: () => Promise.all([producer.disconnect(), consumer.disconnect()]),
      };
    },
  },
  {
    name: 'mqtt publish and message',
    count: 3000,
    library: 'mqtt',
    server: 'MQTT_URL',
    hasOfficial: false,
    async open() {
      const { connectAsync } = requireLibrary('mqtt') as typeof Mqtt;
      const client = await connectAsync(process.env['MQTT_URL']!, { protocolVersion: 5 });
      await client.subscribeAsync(NAME);
      const turn = new Turn();
      client.on('message', turn.handled);
      return {
        exchange: () => turn.wait(() => void client.publish(NAME, text)),
        close: () => client.endAsync(),
      };
    },
  },
  {
    name: 'nats publish and subscribe',
    count: 3000,
    library: 'nats',
    server: 'NATS_URL',
    hasOfficial: false,
    async open() {
      const { connect } = requireLibrary('nats') as typeof Nats;
      const connection = await connect({ servers: process.env['NATS_URL']! });
      const turn = new Turn();
      connection.subscribe(NAME, { callback: turn.handled });
      await connection.flush();
      return {
        exchange: () => turn.wait(() => connection.publish(NAME, text)),
        close: () => connection.close(),
      };
    },
  },
];

/** Those whose server is there. */
export const MESSAGING_CASES: readonly MessagingCase[] = ALL.filter(
  ({ server }) => process.env[server] !== undefined,
);
