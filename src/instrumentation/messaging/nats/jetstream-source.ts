import { types } from 'node:util';

import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { ATTR_SETTLEMENT } from '../attributes.ts';
import type { MessageOperation } from '../message-operation.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { receiving, runHandler, startHandler, subscribingForJetStream } from './consumer-source.ts';
import { describeMessage } from './attributes.ts';
import type { ConsumerMessages, JetStreamMessage, Message, Protocol } from './library-types.ts';

/*
 * What consumers of JetStream get: by `consume` with a callback, or one after the other by
 * `consume`, `fetch` and `next`. What is published to a stream is a request of the connection's.
 */

interface Classes {
  PullConsumerMessagesImpl?: { prototype: ConsumerMessages };
  /** Of version 3 alone. */
  PushConsumerMessagesImpl?: { prototype: ConsumerMessages };
  /** Of version 2 alone. */
  OrderedConsumerMessages?: { prototype: ConsumerMessages };
  JsMsgImpl?: { prototype: JetStreamMessage };
}

export function patchJetStream(
  exports: ModuleExports,
  recorder: MessagingRecorder,
): Undo | undefined {
  const { PullConsumerMessagesImpl, PushConsumerMessagesImpl, OrderedConsumerMessages, JsMsgImpl } =
    exports as Classes;
  const undos = [
    PullConsumerMessagesImpl && patchMessages(PullConsumerMessagesImpl.prototype, recorder),
    PushConsumerMessagesImpl && patchMessages(PushConsumerMessagesImpl.prototype, recorder),
    PushConsumerMessagesImpl && patchStart(PushConsumerMessagesImpl.prototype),
    OrderedConsumerMessages && patchLoop(OrderedConsumerMessages.prototype, recorder),
    JsMsgImpl && patchSettlements(JsMsgImpl.prototype),
  ];
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

/** The handlers at work, by their messages, until they are done. */
const working = new WeakMap<JetStreamMessage, MessageRecording>();

function patchMessages(prototype: ConsumerMessages, recorder: MessagingRecorder): Undo | undefined {
  const release = reservePatch(prototype, 'nats consumer callback');
  if (!release) return undefined;
  return undoAll([
    release,
    patchLoop(prototype, recorder),
    patchMethod(prototype, '_push', (original) => {
      return function _push(this: ConsumerMessages, part) {
        const { callback } = this;
        const isHandled = typeof part !== 'function' && typeof callback === 'function';
        if (!isHandled || this.forOrderedConsumer || !recorder.isListening) {
          return original.call(this, part);
        }
        const handler = (message: JetStreamMessage): unknown =>
          handle(recorder, this, message, callback);
        // The client reads it at once, and only for this message.
        this.callback = handler;
        try {
          return original.call(this, part);
        } finally {
          if (this.callback === handler) this.callback = callback;
        }
      };
    }),
  ]);
}

/** A push consumer subscribes to a subject of the application's. */
function patchStart(prototype: ConsumerMessages): Undo | undefined {
  const release = reservePatch(prototype, 'nats push consumer');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'start', (original) => {
      return function start(this: ConsumerMessages): void {
        subscribingForJetStream(() => original.call(this));
      };
    }),
  ]);
}

function handle(
  recorder: MessagingRecorder,
  messages: ConsumerMessages,
  message: JetStreamMessage,
  callback: NonNullable<ConsumerMessages['callback']>,
): unknown {
  return handling(
    recorder,
    message,
    () => describe('process', messages, message),
    () => callback.call(messages, message),
    types.isAsyncFunction(callback),
  );
}

/** Runs `call`, which handles `message`, in a span. */
export function handling(
  recorder: MessagingRecorder,
  message: JetStreamMessage,
  describing: () => MessageOperation,
  call: () => unknown,
  isAsync: boolean,
): unknown {
  const recording = startHandler(recorder, message, describing);
  if (recording === undefined) return call();
  working.set(message, recording);
  return runHandler(recording, call, isAsync);
}

function patchLoop(prototype: ConsumerMessages, recorder: MessagingRecorder): Undo | undefined {
  const release = reservePatch(prototype, 'nats consumer');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, Symbol.asyncIterator, (original) => {
      return function messages(this: ConsumerMessages): AsyncIterator<Message> {
        return receiving(original.call(this), recorder, (message) =>
          describe('receive', this, message),
        );
      };
    }),
  ]);
}

/** A handler that puts its message off, or gives it up, has not failed by that. */
function patchSettlements(prototype: JetStreamMessage): Undo | undefined {
  const release = reservePatch(prototype, 'nats settlements');
  if (!release) return undefined;
  return undoAll([
    release,
    ...(['nak', 'term'] as const).map((name) =>
      patchMethod(prototype, name, (original) => {
        return function settle(this: JetStreamMessage, ...args): unknown {
          working.get(this)?.add({ [ATTR_SETTLEMENT]: name });
          return original.apply(this, args);
        };
      }),
    ),
  ]);
}

/** A message of the consumer that `messages` are of. */
export function describe(
  type: 'process' | 'receive',
  messages: Pick<ConsumerMessages, 'consumer' | 'src'>,
  message: Message,
): MessageOperation {
  const { name, api, _info } = messages.consumer ?? messages.src?.consumer ?? {};
  return describeDelivery(type, api?.nc?.protocol, message, {
    name,
    filter: _info?.config?.filter_subject,
  });
}

/** A message that a consumer with this name and filter got. */
export function describeDelivery(
  type: 'process' | 'receive',
  protocol: Protocol | undefined,
  { subject, data }: Message,
  { name, filter }: { name: unknown; filter: unknown },
): MessageOperation {
  return describeMessage(type, protocol, subject, data, {
    template:
      typeof filter === 'string' && filter !== subject && filter !== '' ? filter : undefined,
    consumerGroup: typeof name === 'string' ? name : undefined,
  });
}
