import { types } from 'node:util';

import { context, trace } from '@opentelemetry/api';

import { CallScope } from '../../../carry/call-scope.ts';
import { bindListener } from '../../bind-listener.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { guard } from '../guard.ts';
import type { MessageOperation } from '../message-operation.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { settling } from '../run-handler.ts';
import { carrierIn, describeMessage, isInbox, isOfApplication } from './attributes.ts';
import { isSending } from './producer-source.ts';
import type { Callback, Connection, Message, Protocol, Subscription } from './library-types.ts';

/** Set while a consumer of JetStream subscribes. */
const ofJetStream = new CallScope<true>();

/** Runs what subscribes for a consumer of JetStream, which records its messages by itself. */
export function subscribingForJetStream<T>(subscribe: () => T): T {
  return ofJetStream.run(true, subscribe);
}

let delivered: unknown;

/** The subscription to `subject` that follows at once is one of JetStream's, which has spans by itself. */
export function withoutSpansOf(subject: unknown): void {
  delivered = subject;
  queueMicrotask(() => (delivered = undefined));
}

/** The callbacks of subscriptions, in the context of `subscribe`. */
export function patchSubscribe(
  prototype: Connection,
  recorder: MessagingRecorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'nats subscribe');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'subscribe', (original) => {
      return function subscribe(this: Connection, subject, options): unknown {
        const callback = options?.callback;
        // The client itself subscribes to the reply of a request.
        if (typeof callback !== 'function' || isSending() || ofJetStream.current) {
          return original.call(this, subject, options);
        }
        const isDelivery = subject === delivered;
        const isRecorded = isOfApplication(subject) && !isInbox(subject) && !isDelivery;
        const queue = options?.queue;
        const heard = isRecorded ? consuming(this, subject, queue, callback, recorder) : callback;
        const bound = bindListener('NATS_SUBSCRIPTION', heard);
        return original.call(this, subject, { ...options, callback: bound });
      };
    }),
  ]);
}

function consuming(
  connection: Connection,
  subject: string,
  queue: unknown,
  callback: Callback,
  recorder: MessagingRecorder,
): Callback {
  const isAsync = types.isAsyncFunction(callback);
  const template = templateOf(subject);
  const consumerGroup = typeof queue === 'string' ? queue : undefined;
  return function onMessage(this: unknown, error, message): unknown {
    const call = (): unknown => callback.call(this, error, message);
    if (error || !recorder.isListening) return call();
    const more = { template, consumerGroup };
    const recording = startHandler(recorder, message, () =>
      describe('process', connection.protocol, message, more),
    );
    return recording ? runHandler(recording, call, isAsync) : call();
  };
}

/** Starts the work of a callback with `message`, under no span of where it was registered. */
export function startHandler(
  recorder: MessagingRecorder,
  message: Message,
  describing: () => MessageOperation,
): MessageRecording | undefined {
  const carriers = [guard('read headers', () => carrierIn(message.headers))];
  return context.with(trace.deleteSpan(context.active()), () =>
    recorder.startProcess(describing, { carriers }),
  );
}

/** Calls a callback in its span. Of others than `async` functions nothing is waited for. */
export function runHandler(
  recording: MessageRecording,
  call: () => unknown,
  isAsync: boolean,
): unknown {
  let result: unknown;
  try {
    result = recording.run(call, undefined);
  } catch (thrown) {
    recording.end(thrown ?? String(thrown));
    throw thrown;
  }
  if (isAsync) return settling(recording, result as Promise<unknown>);
  recording.end();
  return result;
}

/** Messages that a loop asks for: the work with one is the loop's own, so each is a `receive`. */
export function patchIterator(
  prototype: Subscription,
  recorder: MessagingRecorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'nats iterator');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, Symbol.asyncIterator, (original) => {
      return function messages(this: Subscription): AsyncIterator<Message> {
        const iterator = original.call(this);
        const { subject, protocol, queue } = this;
        if (!isOfApplication(subject) || isInbox(subject)) return iterator;
        const consumerGroup = typeof queue === 'string' ? queue : undefined;
        const more = { template: templateOf(subject), consumerGroup };
        return receiving(iterator, recorder, (message) =>
          describe('receive', protocol, message, more),
        );
      };
    }),
  ]);
}

/** Records each message that is asked of `iterator`, which is returned. */
export function receiving(
  iterator: AsyncIterator<Message>,
  recorder: MessagingRecorder,
  describing: (message: Message) => MessageOperation,
): AsyncIterator<Message> {
  const next = iterator.next.bind(iterator);
  iterator.next = async function receive(...args): Promise<IteratorResult<Message>> {
    const result = await next(...args);
    if (result.done !== true && recorder.isListening) {
      const { value } = result;
      const carriers = [guard('read headers', () => carrierIn(value.headers))];
      recorder.start(() => describing(value), { carriers })?.end();
    }
    return result;
  };
  return iterator;
}

const templateOf = (subject: string): string | undefined =>
  /(?:^|\.)(?:\*|>)/.test(subject) ? subject : undefined;

function describe(
  type: 'process' | 'receive',
  protocol: Protocol,
  { subject, data }: Message,
  more: Partial<MessageOperation>,
): MessageOperation {
  return describeMessage(type, protocol, subject, data, more);
}
