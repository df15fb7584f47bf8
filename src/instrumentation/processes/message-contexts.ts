import { context, trace, type Context } from '@opentelemetry/api';

import { resolveMessagingConfig, type ConsumerSpan } from '../messaging/messaging-config.ts';
import { MessagingRecorder } from '../messaging/messaging-recorder.ts';
import { VERSION } from '../version.ts';
import { injected, type Carrier } from './carrier.ts';

/*
 * What a message between threads or processes carries, and what its listeners run in: the context that
 * is active at its sending, or spans of their own.
 */

/** Where a message goes to. */
export interface Destination {
  readonly system: 'worker_threads' | 'child_process';
  readonly destination: 'worker' | 'child' | 'parent';
}

/** Sends messages, and hands them to listeners. */
export interface MessageContexts {
  /** Calls `send` with what the message is to carry, which is nothing outside of every context. */
  sending<Result>(to: Destination, send: (carrier: Carrier | undefined) => Result): Result;
  /** Calls the listeners of a message that carried `carrier`, whose context is `given`. */
  handling<Result>(
    at: Destination,
    carrier: unknown,
    given: Context,
    listeners: () => Result,
  ): Result;
}

/** Listeners run in the context that was active at the sending. */
export const CONTEXTS_ALONE: MessageContexts = {
  sending: (_to, send) => send(injected(context.active())),
  handling: (_at, _carrier, given, listeners) => context.with(given, listeners),
};

/**
 * Each message has a span where it is sent, and one where it is handled, which lasts as long as its
 * listeners run: what they wait for comes after.
 */
export class MessageSpans implements MessageContexts {
  readonly #recorder: MessagingRecorder;

  /** `consumerSpan` is what the second is to the first. */
  constructor(consumerSpan: ConsumerSpan) {
    const config = resolveMessagingConfig({ consumerSpan });
    this.#recorder = new MessagingRecorder('clew/worker_threads', VERSION, config);
  }

  sending<Result>(to: Destination, send: (carrier: Carrier | undefined) => Result): Result {
    // Libraries and runtimes exchange messages by themselves: that a worker is ready, that it lives.
    const isOfTrace = trace.getSpan(context.active()) !== undefined;
    const recording = isOfTrace ? this.#recorder.start(() => ({ ...to, type: 'send' })) : undefined;
    if (recording === undefined) return CONTEXTS_ALONE.sending(to, send);
    try {
      const result = send(injected(recording.context));
      recording.end();
      return result;
    } catch (error) {
      recording.end(error ?? String(error));
      throw error;
    }
  }

  handling<Result>(
    at: Destination,
    carrier: unknown,
    given: Context,
    listeners: () => Result,
  ): Result {
    const recording = this.#recorder.startProcess(() => ({ ...at, type: 'process' }), {
      carriers: [carrier as Carrier],
    });
    if (recording === undefined) return CONTEXTS_ALONE.handling(at, carrier, given, listeners);
    try {
      const result = recording.run(listeners, undefined);
      recording.end();
      return result;
    } catch (error) {
      recording.end(error ?? String(error));
      throw error;
    }
  }
}
