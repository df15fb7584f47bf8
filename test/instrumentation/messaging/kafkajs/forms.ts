import type { Admin, Consumer, Kafka, KafkaMessage, Producer } from 'kafkajs';

import { called } from '../../support/callers.ts';
import { OWN, type MessagingForm, type Note } from '../support/forms.ts';

export interface Target {
  kafka: Kafka;
  admin: Admin;
  producer: Producer;
}

/** A consumer of `topic` that is run by `run` until it says that it is done. */
async function consuming(
  { kafka, admin }: Target,
  topic: string,
  note: Note,
  run: (consumer: Consumer, done: () => void) => Promise<void>,
): Promise<void> {
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
  const retry = { initialRetryTime: 10 };
  const consumer = kafka.consumer({ groupId: `${topic}-group`, maxWaitTimeInMs: 50, retry });
  consumer.on('consumer.connect', () => note('connect event'));
  await consumer.connect();
  note('connected');
  await consumer.subscribe({ topic, fromBeginning: true });
  await called((done) => {
    void run(consumer, done).then(() => note('running'));
  });
  await consumer.disconnect();
  note('disconnected');
}

export const forms: MessagingForm<Target>[] = [
  {
    name: 'send',
    run: async ({ admin, producer }, own, note) => {
      await admin.createTopics({
        topics: [{ topic: own, numPartitions: 1, replicationFactor: 1 }],
      });
      await producer.send({ topic: own, messages: [{ value: '1' }, { value: '2' }] });
      note('continuation');
    },
  },
  {
    name: 'send that is refused',
    run: (target, own, note) =>
      target.producer
        .send({ topic: own, messages: [{ value: undefined as never }] })
        .catch(() => note('catch')),
  },
  {
    name: 'sendBatch to several topics: a span for each',
    spans: [`send ${OWN}`, `send ${OWN}-2`],
    run: async ({ admin, producer }, own, note) => {
      const topics = [own, `${own}-2`];
      await admin.createTopics({
        topics: topics.map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
      });
      const topicMessages = [...topics, own].map((topic) => ({
        topic,
        messages: [{ value: 'x' }],
      }));
      await producer.sendBatch({ topicMessages });
      note('continuation');
    },
  },
  {
    name: 'eachMessage',
    spans: [`send ${OWN}`, `process ${OWN}`, `process ${OWN}`],
    run: (target, own, note) =>
      consuming(target, own, note, async (consumer, done) => {
        await target.producer.send({ topic: own, messages: [{ value: '1' }, { value: '2' }] });
        await consumer.run({
          eachMessage: async (payload) => {
            note('handler');
            await payload.heartbeat();
            note('handler later');
            if (payload.message.offset === '1') done();
          },
        });
      }),
  },
  {
    name: 'eachMessage that fails once: a span for each attempt',
    spans: [`send ${OWN}`, `process ${OWN}`, `process ${OWN}`],
    run: (target, own, note) =>
      consuming(target, own, note, async (consumer, done) => {
        await target.producer.send({ topic: own, messages: [{ value: '1' }] });
        let attempts = 0;
        await consumer.run({
          eachMessage: async () => {
            note('handler');
            attempts += 1;
            if (attempts === 1) throw new Error('once');
            done();
          },
        });
      }),
  },
  {
    name: 'eachBatch',
    spans: [`send ${OWN}`, `send ${OWN}`, `process ${OWN}`],
    run: (target, own, note) =>
      consuming(target, own, note, async (consumer, done) => {
        await target.producer.send({ topic: own, messages: [{ value: '1' }, { value: '2' }] });
        await target.producer.send({ topic: own, messages: [{ value: '3' }] });
        const seen: KafkaMessage[] = [];
        await consumer.run({
          eachBatch: async (payload) => {
            for (const message of payload.batch.messages) {
              note('handler');
              payload.resolveOffset(message.offset);
              seen.push(message);
            }
            await payload.commitOffsetsIfNecessary();
            if (seen.length === 3) done();
          },
        });
      }),
  },
];
