import { CallScope } from '../../../carry/call-scope.ts';
import { bindCallback } from '../../pending-operation.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Carrier } from '../carrier.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { describeMessage } from './attributes.ts';
import type {
  Callback,
  Channel,
  Class,
  Frame,
  Message,
  QueueFields,
  Reply,
} from './library-types.ts';

/*
 * Answers of the broker run in the context of the call that asked for them. `consumed` is what `consume`
 * was called for while its answer is read; `getting` is that of a `get` until its message is there.
 */

/** Methods of AMQP by their numbers, as `lib/defs` has them. */
const BASIC_CONSUME = 3932180;
const BASIC_GET = 3932230;
const BASIC_GET_OK = 3932231;
const BASIC_GET_EMPTY = 3932232;

const consumed = new CallScope<QueueFields>();

/** What is being consumed from where a consumer is registered. */
export function consumedQueue(): QueueFields | undefined {
  return consumed.current;
}

export function patchReplies(
  { prototype }: Class<Channel>,
  recorder: MessagingRecorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'amqplib replies');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'sendOrEnqueue', (original) => {
      return function sendOrEnqueue(this: Channel, method, fields, reply): unknown {
        const heard =
          method === BASIC_CONSUME
            ? consuming(fields as QueueFields, reply)
            : method === BASIC_GET
              ? getting(this, fields as QueueFields, reply, recorder)
              : reply;
        return original.call(this, method, fields, bindCallback('AMQP_RPC', heard));
      };
    }),
    patchMethod(prototype, 'closeBecause', (original) => {
      return function closeBecause(this: Channel, reason, code, done): unknown {
        return original.call(this, reason, code, bound(done));
      };
    }),
  ]);
}

/** The callback of `get`, which comes after the answer, with the last frame of its message. */
export function patchGet({ prototype }: Class<GettingChannel>): Undo | undefined {
  const release = Object.hasOwn(prototype, 'get') && reservePatch(prototype, 'amqplib get');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'get', (original) => {
      return function get(this: GettingChannel, queue, options, callback): unknown {
        return original.call(this, queue, options, bound(callback));
      };
    }),
  ]);
}

interface GettingChannel {
  get(queue: string, options?: unknown, callback?: Callback): unknown;
}

/** `callback` in the context that is active now, where it is one. */
export function bound(callback: Callback | undefined): Callback | undefined {
  if (typeof callback !== 'function') return callback;
  return bindCallback('AMQP_CALLBACK', callback as (...args: unknown[]) => unknown);
}

function consuming(fields: QueueFields, reply: Reply): Reply {
  return function consumeReply(this: unknown, error, frame) {
    const outer = consumed.enter(fields);
    try {
      return reply.call(this, error, frame);
    } finally {
      consumed.leave(outer);
    }
  };
}

/** A `get` that finds a message, or that fails, is recorded; one that finds none leaves no span. */
function getting(
  channel: Channel,
  { queue }: QueueFields,
  reply: Reply,
  recorder: MessagingRecorder,
): Reply {
  const askedAt = performance.now();
  return function getReply(this: unknown, error, frame) {
    const result = reply.call(this, error, frame);
    if (frame?.id === BASIC_GET_EMPTY) return result;
    const fields = frame?.fields as Message['fields'] | undefined;
    if (frame?.id !== BASIC_GET_OK || fields === undefined) {
      const nothing = { exchange: '', routingKey: queue, deliveryTag: 0 };
      const parts = { fields: nothing, properties: {} };
      recorder
        .start(() => ({ ...describeMessage('receive', channel.connection, queue, parts), askedAt }))
        ?.end(error instanceof Error ? error : new Error('The broker refused to get a message.'));
      return result;
    }
    // The next frame has the properties. It is read in the context of the connection.
    const start = bindCallback('AMQP_GET', (properties: Message['properties']) => {
      recorder
        .start(
          () => ({
            ...describeMessage('receive', channel.connection, queue, { fields, properties }),
            askedAt,
          }),
          { carriers: [properties.headers as Carrier | undefined] },
        )
        ?.end();
    });
    const next = channel.handleMessage;
    channel.handleMessage = function readProperties(this: unknown, properties: Frame): unknown {
      start(properties.fields);
      return next.call(this, properties);
    };
    return result;
  };
}
