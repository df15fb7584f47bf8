import { types } from 'node:util';

import { context, trace } from '@opentelemetry/api';

import { bindListener } from '../../bind-listener.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { settling } from '../run-handler.ts';
import { abandonAll, Delivery, forget, settle } from './deliveries.ts';
import { describeMessage } from './attributes.ts';
import { consumedQueue } from './replies-source.ts';
import type { Carrier } from '../carrier.ts';
import type {
  Channel,
  Class,
  Consumer,
  Message,
  ModelChannel,
  QueueFields,
} from './library-types.ts';

/** Where a consumer is registered, and where a channel closes. */
export function patchConsumers(
  { prototype }: Class<Channel>,
  recorder: MessagingRecorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'amqplib consumers');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'registerConsumer', (original) => {
      return function registerConsumer(this: Channel, tag, consumer): unknown {
        if (typeof consumer !== 'function') return original.call(this, tag, consumer);
        // The context is that of the call of `consume`, whose answer has just come.
        const deliver = delivering(this, consumer, consumedQueue(), recorder);
        return original.call(this, tag, bindListener('AMQP_CONSUMER', deliver));
      };
    }),
    patchMethod(prototype, 'toClosed', (original) => {
      return function toClosed(this: Channel, ...args): unknown {
        try {
          return original.apply(this, args);
        } finally {
          abandonAll(this);
        }
      };
    }),
  ]);
}

/** What the application does with its messages. */
export function patchSettlements({ prototype }: Class<ModelChannel>): Undo | undefined {
  // A confirm channel inherits them.
  const release = Object.hasOwn(prototype, 'ack') && reservePatch(prototype, 'amqplib settlements');
  if (!release) return undefined;
  const one = (method: 'ack' | 'nack' | 'reject'): Undo | undefined =>
    patchMethod(prototype, method, (original) => {
      return function settleOne(
        this: ModelChannel,
        message: Message,
        ...flags: boolean[]
      ): unknown {
        const result = original.call(this, message, ...flags);
        settle(this, method, message.fields.deliveryTag, method !== 'reject' && flags[0] === true);
        return result;
      };
    });
  const all = (method: 'ackAll' | 'nackAll'): Undo | undefined =>
    patchMethod(prototype, method, (original) => {
      return function settleAll(this: ModelChannel, ...flags): unknown {
        const result = original.apply(this, flags);
        settle(this, method === 'ackAll' ? 'ack' : 'nack');
        return result;
      };
    });
  return undoAll([release, one('ack'), one('nack'), one('reject'), all('ackAll'), all('nackAll')]);
}

function delivering(
  channel: Channel,
  consumer: Consumer,
  consumed: QueueFields | undefined,
  recorder: MessagingRecorder,
): Consumer {
  // What another function returns may be in other hands as well: to watch it would be to handle its
  // rejection, or to add one. The library does not look at it.
  const isAsync = types.isAsyncFunction(consumer);
  const noAck = consumed?.noAck === true;
  return function deliver(this: unknown, message) {
    const recording = message && startProcess(channel, message, consumed?.queue, recorder);
    if (!recording) return consumer.call(this, message);
    const tag = message.fields.deliveryTag;
    const delivery = new Delivery(channel, tag, recording, noAck);
    let result: unknown;
    try {
      result = recording.run(consumer, this, message);
    } catch (error) {
      forget(channel, tag);
      recording.end(error ?? String(error));
      throw error;
    }
    if (isAsync) {
      return settling(recording, result as Promise<unknown>).finally(() => forget(channel, tag));
    }
    delivery.returned();
    return result;
  };
}

/** In the context of `consume` without its span, which ended long ago where it began with a request. */
function startProcess(
  channel: Channel,
  message: Message,
  queue: string | undefined,
  recorder: MessagingRecorder,
): MessageRecording | undefined {
  if (!recorder.isListening) return undefined;
  const carriers = [message.properties.headers as Carrier | undefined];
  return context.with(trace.deleteSpan(context.active()), () =>
    recorder.startProcess(() => describeMessage('process', channel.connection, queue, message), {
      carriers,
    }),
  );
}
