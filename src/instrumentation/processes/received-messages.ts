import { createRequire, syncBuiltinESMExports } from 'node:module';
import { MessagePort, parentPort } from 'node:worker_threads';

import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import { extracted, type Carrier } from './carrier.ts';
import { CONTEXTS_ALONE, type Destination, type MessageContexts } from './message-contexts.ts';

/*
 * Messages that carry a context: a field beside those of a library's own message (a pool's task), or
 * an envelope around a message of the application. Listeners get what was sent, in that context.
 */

/** The field of a message that holds a carrier. */
export const CONTEXT_FIELD = 'clew.context';
/** The field of an envelope that holds the message itself. */
const PAYLOAD_FIELD = 'clew.payload';

/** A message in an envelope, for a receiver that is known to open it. */
export function enveloped(message: unknown, carrier: Carrier): object {
  return { [CONTEXT_FIELD]: carrier, [PAYLOAD_FIELD]: message };
}

interface Opened {
  message: unknown;
  context: Context;
  carrier: unknown;
  /** Whether it came in an envelope, and is no library's own. */
  isOfApplication: boolean;
}

/** What was sent, and its context; undefined for a message that carries none. */
export function opened(message: unknown): Opened | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  if (!Object.hasOwn(message, CONTEXT_FIELD)) return undefined;
  const fields = message as Record<string, unknown>;
  const carrier = fields[CONTEXT_FIELD];
  const given = { carrier, context: extracted(carrier) ?? ROOT_CONTEXT };
  if (Object.hasOwn(fields, PAYLOAD_FIELD)) {
    return { ...given, message: fields[PAYLOAD_FIELD], isOfApplication: true };
  }
  // The message was made for this receiver alone, out of what came over the wire.
  delete fields[CONTEXT_FIELD];
  return { ...given, message, isOfApplication: false };
}

/** Calls `deliver` with a message as it was sent, in its context where it carries one. */
export function delivered<Result>(
  message: unknown,
  { at, contexts }: Delivering,
  deliver: (message: unknown) => Result,
): Result {
  const found = opened(message);
  if (found === undefined) return deliver(message);
  const { carrier, context, isOfApplication } = found;
  const how = isOfApplication ? contexts : CONTEXTS_ALONE;
  return how.handling(at, carrier, context, () => deliver(found.message));
}

/** Where messages are delivered, and what their listeners run in. */
export interface Delivering {
  readonly at: Destination;
  readonly contexts: MessageContexts;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
/** Makes a context active for the rest of the running code: `attach` of the context manager. */
export type Attach = (context: Context) => { dispose(): void };

/** Where Node hands a message over to the listeners of a port, of either kind. */
const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch');

/**
 * Opens the messages of this thread's ports; undefined where this Node does not let that be.
 * `onParent` is called before each message from the parent thread.
 */
export function openPortMessages(
  onParent: () => void,
  contexts: MessageContexts,
  attach?: Attach,
): Undo | undefined {
  const delivering: Delivering = {
    at: { system: 'worker_threads', destination: 'worker' },
    contexts,
  };
  const dispatch = patchMethod(
    MessagePort.prototype as unknown as Record<symbol, AnyFunction>,
    DISPATCH,
    (original) => {
      return function (this: unknown, ...args): unknown {
        const [message, type, ...rest] = args;
        if (type !== 'message') return Reflect.apply(original, this, args);
        if (this === parentPort) onParent();
        return delivered(message, delivering, (sent) =>
          Reflect.apply(original, this, [sent, type, ...rest]),
        );
      };
    },
  );
  return dispatch && undoAll([dispatch, openPolledMessages(onParent, attach)]);
}

/**
 * The same for messages that are polled for. What runs until the next one is asked for, and what it
 * requests, belongs to the message.
 */
function openPolledMessages(onParent: () => void, attach: Attach | undefined): Undo {
  const module = createRequire(import.meta.url)('node:worker_threads') as Pollable;
  let attached: ReturnType<Attach> | undefined;
  const undo = patchMethod(module, 'receiveMessageOnPort', (original) => {
    return function (this: unknown, ...args) {
      attached?.dispose();
      attached = undefined;
      const received = Reflect.apply(original, this, args);
      if (received === undefined) return received;
      if (args[0] === parentPort) onParent();
      const found = opened(received.message);
      if (found === undefined) return received;
      attached = attach?.(found.context);
      return { message: found.message };
    };
  });
  syncBuiltinESMExports();
  return undoAll([() => syncBuiltinESMExports(), undo]);
}

interface Pollable {
  receiveMessageOnPort(this: unknown, ...args: unknown[]): { message: unknown } | undefined;
}

/**
 * Opens the messages that `process` or child processes emit. `onMessage` is called before each, also
 * before those between Nodes.
 */
export function openProcessMessages(
  emitters: object,
  delivering: Delivering,
  onMessage: (emitter: object, name: 'message' | 'internalMessage', message: unknown) => void,
): Undo | undefined {
  return patchMethod(emitters as Record<'emit', AnyFunction>, 'emit', (original) => {
    return function (this: unknown, ...args): unknown {
      const [name, message, ...rest] = args;
      if (name !== 'message' && name !== 'internalMessage')
        return Reflect.apply(original, this, args);
      onMessage(this as object, name, message);
      if (name === 'internalMessage') return Reflect.apply(original, this, args);
      return delivered(message, delivering, (sent) =>
        Reflect.apply(original, this, [name, sent, ...rest]),
      );
    };
  });
}
