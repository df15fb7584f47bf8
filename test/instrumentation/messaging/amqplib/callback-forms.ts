import type { Channel, ConfirmChannel, Connection, Message } from 'amqplib/callback_api';

import { called } from '../../support/callers.ts';
import { OWN, type MessagingForm } from '../support/forms.ts';

const TEXT = Buffer.from('text');
const QUEUE = { exclusive: false, autoDelete: false, durable: false };

export interface CallbackTarget {
  connection: Connection;
  channel: Channel;
  confirm: ConfirmChannel;
}

export const callbackForms: MessagingForm<CallbackTarget>[] = [
  {
    name: 'confirm',
    run: ({ confirm }, own, note) =>
      called((done) => {
        confirm.publish('', own, TEXT, {}, () => {
          note('confirm');
          done();
        });
      }),
  },
  {
    name: 'waitForConfirms',
    run: ({ confirm }, own, note) =>
      called((done) => {
        confirm.sendToQueue(own, TEXT, {}, () => note('confirm'));
        confirm.waitForConfirms(() => {
          note('callback');
          done();
        });
      }),
  },
  {
    name: 'declare, consume, acknowledge, cancel, delete',
    spans: [`send ${OWN}`, `process ${OWN}`],
    run: ({ channel }, own, note) =>
      called((done) => {
        channel.assertQueue(own, QUEUE, () => {
          note('declared');
          channel.sendToQueue(own, TEXT);
          const handler = (message: Message | null): void => {
            note('handler');
            setTimeout(() => {
              note('handler timer');
              channel.ack(message!);
              finished();
            }, 1);
          };
          const tag = `tag-${own}`;
          let finished = (): void => undefined;
          const handled = new Promise<void>((resolve) => (finished = resolve));
          channel.consume(own, handler, { consumerTag: tag }, () => {
            note('consumed');
            void handled.then(() =>
              channel.cancel(tag, () => {
                note('cancelled');
                channel.deleteQueue(own, {}, () => {
                  note('deleted');
                  done();
                });
              }),
            );
          });
        });
      }),
  },
  {
    name: 'get',
    spans: [`send ${OWN}`, `receive ${OWN}`],
    run: ({ channel }, own, note) =>
      called((done) => {
        channel.assertQueue(own, QUEUE, () => {
          channel.sendToQueue(own, TEXT);
          const again = (): void => {
            channel.get(own, { noAck: true }, (_error, message) => {
              note(message ? 'message' : 'empty');
              if (!message) again();
              else channel.deleteQueue(own, {}, done);
            });
          };
          again();
        });
      }),
  },
  {
    name: 'channels that are opened, fail and close',
    spans: [],
    run: ({ connection }, own, note) =>
      called((done) => {
        connection.createChannel((_error, channel) => {
          note('channel');
          channel.on('error', () => note('error'));
          channel.checkQueue(own, () => {
            note('failed');
            connection.createConfirmChannel((_fault, other) => {
              note('confirm channel');
              other.close(() => {
                note('closed');
                done();
              });
            });
          });
        });
      }),
  },
];
