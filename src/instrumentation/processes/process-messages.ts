import { ChildProcess } from 'node:child_process';

import { reservePatch, patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import type { Destination, MessageContexts } from './message-contexts.ts';
import { enveloped, openProcessMessages } from './received-messages.ts';

/*
 * `process.send` and `send` of a child process carry the context they are called in, where the other
 * side has announced that it opens envelopes. Messages whose command begins with `NODE_` are kept from
 * applications by Node, so that the announcement is not seen where nothing reads it.
 */

const ANNOUNCEMENT = 'NODE_CLEW_OPENS_ENVELOPES';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
interface Sender {
  send: AnyFunction;
  connected?: boolean;
}

/** The processes at the other end that open envelopes. */
const opening = new WeakSet<object>();

/**
 * Notes the announcement of the process at the other end of `emitter`, and answers it: the child
 * begins, as it hears nothing before it is there.
 */
export function heard(emitter: object, name: string, message: unknown): void {
  if (name !== 'internalMessage' || opening.has(emitter)) return;
  if ((message as { cmd?: unknown } | null | undefined)?.cmd !== ANNOUNCEMENT) return;
  // Before it counts as opening them: the answer itself is no message of the application's.
  announceEnvelopes(emitter);
  opening.add(emitter);
}

/** Announces that messages to this side are opened. */
export function announceEnvelopes(sender: object): void {
  const { send, connected } = sender as Partial<Sender>;
  if (typeof send !== 'function' || connected !== true) return;
  // Without the callback a failure would be an event of the application's.
  Reflect.apply(send, sender, [{ cmd: ANNOUNCEMENT }, undefined, undefined, () => undefined]);
}

/** Has messages over the channel of `sender` carry contexts, where they are opened. */
export function sendContextsOver(
  sender: object,
  to: Destination,
  contexts: MessageContexts,
): Undo | undefined {
  const { send } = sender as Partial<Sender>;
  if (typeof send !== 'function') return undefined;
  return patchMethod(sender as Sender, 'send', (original) => {
    return function (this: unknown, ...args): unknown {
      const isSent = opening.has(sender) && args.length > 0 && args[0] !== undefined;
      if (!isSent) return Reflect.apply(original, this, args);
      return contexts.sending(to, (carrier) => {
        const [message, ...rest] = args;
        return Reflect.apply(original, this, [
          carrier ? enveloped(message, carrier) : message,
          ...rest,
        ]);
      });
    };
  });
}

/**
 * The same for child processes that are forked from now on. Their messages are opened also after the
 * undo: they were told so.
 */
export function sendContextsToChildren(contexts: MessageContexts): Undo {
  const prototype = ChildProcess.prototype as unknown as Record<'spawn', AnyFunction>;
  if (reservePatch(prototype, 'envelopes')) {
    const at = { system: 'child_process', destination: 'parent' } as const;
    openProcessMessages(prototype, { at, contexts }, heard);
  }
  const to = { system: 'child_process', destination: 'child' } as const;
  const undos: (Undo | undefined)[] = [];
  return undoAll([
    () => undoAll(undos)(),
    patchMethod(prototype, 'spawn', (original) => {
      return function (this: unknown, ...args): unknown {
        const result = Reflect.apply(original, this, args);
        undos.push(sendContextsOver(this as object, to, contexts));
        return result;
      };
    }),
  ]);
}
