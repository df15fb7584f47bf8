import { once } from 'node:events';
import { createRequire } from 'node:module';

import { propagation } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';

import { requireService } from '../../../support/services.ts';
import { assertNoDifference, describeError } from '../../support/differential.ts';
import { instrumentedLibrary } from '../support/library.ts';
import { withoutOurs } from '../support/headers.ts';

const require = createRequire(import.meta.url);

for (const alias of ['amqplib', 'amqplib-0.10', 'amqplib-0.10.0']) {
  describe(`${alias}, bare and instrumented`, function () {
    this.timeout(120_000);
    const amqp = require(alias) as typeof import('amqplib');
    const instrumented = instrumentedLibrary('amqplib', alias);
    let url = '';

    before(async function () {
      url = await requireService(this, 'rabbitmq');
      propagation.disable();
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    });

    it('does the same in the same order, with the same results, headers and errors', async () => {
      await assertNoDifference(async () => {
        const seen: unknown[] = [];
        const attempt = (name: string, fn: () => unknown): void => {
          try {
            seen.push([name, fn()]);
          } catch (error) {
            seen.push([name, describeError(error)]);
          }
        };
        const connection = await amqp.connect(url);
        connection.on('close', () => seen.push('connection closed'));
        const channel = await connection.createConfirmChannel();
        const queue = `differential-${process.pid}`;
        seen.push(await channel.assertQueue(queue, { durable: false }));
        const own = { headers: { a: 1, b: Buffer.from('b'), c: ['x', true], nested: { d: null } } };
        attempt('sent', () => channel.sendToQueue(queue, Buffer.from('1'), own));
        attempt('inherited', () => {
          return channel.sendToQueue(queue, Buffer.from('2'), Object.create(own) as object);
        });
        const plain = await connection.createChannel();
        attempt('no buffer', () => plain.sendToQueue(queue, 'text' as never));
        attempt('bad option', () =>
          plain.sendToQueue(queue, Buffer.from('3'), {
            expiration: {} as never,
            headers: 7 as never,
          }),
        );
        attempt('no options', () => channel.publish('', queue, Buffer.from('4'), undefined));
        attempt('bad callback', () =>
          channel.sendToQueue(queue, Buffer.from('5'), {}, null as never),
        );
        attempt('own callback', () =>
          channel.sendToQueue(queue, Buffer.from('6'), {}, (...args: unknown[]) => {
            seen.push(['confirmed', args]);
          }),
        );
        await channel.waitForConfirms().catch((error: unknown) => seen.push(describeError(error)));
        const messages: unknown[] = [];
        const consumer = function (this: unknown, ...args: unknown[]): Promise<string> {
          const [message] = args as [import('amqplib').ConsumeMessage];
          messages.push([
            typeof this,
            args.length,
            message.content.toString(),
            withoutOurs(message.properties.headers),
            { ...message.fields, consumerTag: '' },
          ]);
          channel.ack(message);
          return Promise.resolve('nobody looks at it');
        };
        const { consumerTag } = await channel.consume(queue, consumer);
        const { messageCount } = await channel.checkQueue(queue);
        seen.push(messageCount);
        for (let tries = 0; messages.length < 5 && tries < 500; tries += 1) {
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        seen.push(messages, await channel.cancel(consumerTag).then(Object.keys));
        seen.push(await channel.get(queue), await channel.deleteQueue(queue));
        const failing = once(channel, 'error');
        await channel.checkQueue(queue).catch((error: unknown) => seen.push(describeError(error)));
        seen.push(describeError(await failing.then(([error]) => error as unknown)));
        attempt('closed channel', () => channel.sendToQueue(queue, Buffer.from('7')));
        attempt('ack on a closed channel', () =>
          channel.ack({ fields: { deliveryTag: 1 } } as never),
        );
        await connection.close();
        await connection.createChannel().catch((error: unknown) => seen.push(describeError(error)));
        seen.push(Object.keys(channel).sort(), channel.publish.length, channel.publish.name);
        return JSON.parse(JSON.stringify(seen)) as unknown;
      }, instrumented);
    });
  });
}
