import { setTimeout as wait } from 'node:timers/promises';

import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';

import { called } from '../../support/callers.ts';
import { OWN, type MessagingForm } from '../support/forms.ts';

const TEXT = Buffer.from('text');
const QUEUE = { exclusive: false, autoDelete: false, durable: false };

/** What three callers share. */
export interface Target {
  connection: ChannelModel;
  channel: Channel;
  confirm: ConfirmChannel;
}

/** Calls `consume` until `handled` of its messages were, then cancels it. */
async function consuming(
  channel: Channel,
  queue: string,
  handler: (message: ConsumeMessage, done: () => void) => unknown,
  { noAck = false, handled = 1 } = {},
): Promise<void> {
  let left = handled;
  const tag = await new Promise<string>((resolve, reject) => {
    let isDone: () => void = () => undefined;
    const done = new Promise<void>((each) => (isDone = each));
    const consumer = (message: ConsumeMessage | null): unknown =>
      message && handler(message, () => --left === 0 && isDone());
    // An async handler has to be one to the library.
    const asIs =
      handler.constructor.name === 'AsyncFunction'
        ? async (message: ConsumeMessage | null) => void (await consumer(message))
        : consumer;
    channel
      .consume(queue, asIs, { noAck })
      .then(async ({ consumerTag }) => done.then(() => resolve(consumerTag)), reject);
  });
  await channel.cancel(tag);
}

export const promiseForms: MessagingForm<Target>[] = [
  {
    name: 'publish to an exchange',
    spans: [`send amq.topic:${OWN}`],
    run: async ({ channel }, own, note) => {
      channel.publish('amq.topic', own, TEXT);
      note('after');
      await channel.checkExchange('amq.topic');
      note('continuation');
    },
  },
  {
    name: 'confirm by callback',
    run: ({ confirm }, own, note) =>
      called((done) => {
        confirm.sendToQueue(own, TEXT, {}, (error) => {
          note('confirm');
          done(error);
        });
      }),
  },
  {
    name: 'waitForConfirms',
    run: async ({ confirm }, own, note) => {
      confirm.publish('', own, TEXT, {});
      await confirm.waitForConfirms();
      note('continuation');
    },
  },
  {
    name: 'consume, an async handler',
    spans: [`send ${OWN}`, `process ${OWN}`],
    run: async ({ channel }, own, note) => {
      await channel.assertQueue(own, QUEUE);
      channel.sendToQueue(own, TEXT);
      await consuming(channel, own, async (message, done) => {
        note('handler');
        await wait(2);
        note('handler later');
        channel.ack(message);
        setImmediate(done);
      });
      note('continuation');
      await channel.deleteQueue(own);
    },
  },
  {
    name: 'consume, a handler that acknowledges later',
    spans: [`send ${OWN}`, `process ${OWN}`],
    run: async ({ channel }, own, note) => {
      await channel.assertQueue(own, QUEUE);
      channel.sendToQueue(own, TEXT);
      await consuming(channel, own, (message, done) => {
        note('handler');
        setTimeout(() => {
          note('handler timer');
          channel.ack(message);
          done();
        }, 2);
      });
      await channel.deleteQueue(own);
    },
  },
  {
    name: 'consume without acknowledgement',
    spans: [`send ${OWN}`, `process ${OWN}`],
    run: async ({ channel }, own, note) => {
      await channel.assertQueue(own, QUEUE);
      channel.sendToQueue(own, TEXT);
      const handler = (_message: ConsumeMessage, done: () => void): void => {
        note('handler');
        setImmediate(done);
      };
      await consuming(channel, own, handler, { noAck: true });
      await channel.deleteQueue(own);
    },
  },
  {
    name: 'a message that is refused once: a span for each attempt',
    spans: [`send ${OWN}`, `process ${OWN}`, `process ${OWN}`],
    run: async ({ channel }, own, note) => {
      await channel.assertQueue(own, QUEUE);
      channel.sendToQueue(own, TEXT);
      const handler = (message: ConsumeMessage, done: () => void): void => {
        note('handler');
        if (message.fields.redelivered) channel.ack(message);
        else channel.nack(message, false, true);
        setImmediate(done);
      };
      await consuming(channel, own, handler, { handled: 2 });
      await channel.deleteQueue(own);
    },
  },
  {
    name: 'get',
    spans: [`send ${OWN}`, `receive ${OWN}`],
    run: async ({ channel }, own, note) => {
      await channel.assertQueue(own, QUEUE);
      channel.sendToQueue(own, TEXT);
      for (let message = await channel.get(own); ; message = await channel.get(own)) {
        note('continuation');
        if (!message) continue;
        channel.ack(message);
        break;
      }
      await channel.get(own);
      note('empty');
      await channel.deleteQueue(own);
    },
  },
  {
    name: 'a consumer that the broker cancels',
    spans: [],
    run: async ({ channel }, own, note) => {
      await channel.assertQueue(own, QUEUE);
      const cancelled = called((done) => {
        void channel.consume(own, (message) => {
          note(message === null ? 'cancelled' : 'handler');
          done();
        });
      });
      await channel.deleteQueue(own);
      note('deleted');
      await cancelled;
    },
  },
  {
    name: 'a message that comes back',
    run: async ({ connection }, own, note) => {
      const channel = await connection.createChannel();
      note('channel');
      const returned = called((done) => channel.on('return', done));
      channel.publish('', own, TEXT, { mandatory: true });
      await returned;
      note('returned');
      await channel.close();
      note('closed');
    },
  },
  {
    name: 'errors: of a channel, and on a closed one',
    spans: [`send ${OWN}`],
    run: async ({ connection }, own, note) => {
      const channel = await connection.createChannel();
      const failed = called((done) => channel.on('error', done));
      const closed = called((done) => channel.once('close', done));
      await channel.checkQueue(own).catch(() => note('catch'));
      await failed;
      note('error');
      await closed;
      note('close');
      try {
        channel.sendToQueue(own, TEXT);
      } catch {
        note('thrown');
      }
    },
  },
];
