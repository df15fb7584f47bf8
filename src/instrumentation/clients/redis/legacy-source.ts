import { CallScope } from '../../../carry/call-scope.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { finishing, PendingOperation } from '../../pending-operation.ts';
import { describe } from './attributes.ts';
import type { Method, RedisClient4, Send } from './library-types.ts';

/*
 * The legacy mode of version 4: a client then has own methods that hide those of its class, take
 * callbacks and send by a private method. They are replaced when the client connects; `replaced`
 * holds the clients. After the undo they call the original methods.
 */
interface LegacyPatch {
  /** Patches the methods of `client`. */
  apply(client: RedisClient4): void;
  undo: Undo;
}

export function legacyPatch(recorder: Recorder, send: Send): LegacyPatch {
  let isActive = true;
  const replaced = new WeakSet<RedisClient4>();
  const replace = (methods: Record<string, Method>, key: string, wrapped: Method): void => {
    const original = methods[key]!;
    methods[key] = function legacyCommand(this: unknown, ...args) {
      return (isActive && recorder.isListening ? wrapped : original).apply(this, args);
    };
  };
  return {
    apply(client) {
      if (replaced.has(client)) return;
      replaced.add(client);
      const methods = client as unknown as Record<string, Method>;
      const commands = client.Multi.prototype;
      for (const name of Object.keys(methods)) {
        const original = methods[name];
        if (typeof original !== 'function') continue;
        if (name === 'sendCommand') {
          replace(methods, name, (...args) => sent(client, recorder, original, args, args));
        } else if (name.toUpperCase() in commands) {
          const command = name.toUpperCase();
          replace(methods, name, (...args) =>
            sent(client, recorder, original, [command, ...args], args),
          );
        }
      }
      // Its other commands belong to the class.
      replace(client.v4, 'sendCommand', (...args) => send.apply(client, args as [never]));
    },
    undo: () => void (isActive = false),
  };
}

/** The client whose method is on the stack: it may call `sendCommand` of the same client. */
const sending = new CallScope<RedisClient4>();

function sent(
  client: RedisClient4,
  recorder: Recorder,
  original: Method,
  command: unknown[],
  args: unknown[],
): unknown {
  if (sending.current === client) return original.apply(client, args);
  const callback = args.at(-1);
  const isTold = typeof callback === 'function';
  const operation = new PendingOperation('REDIS_COMMAND');
  operation.record(
    recorder,
    describe(client, isTold ? command.slice(0, -1).flat() : command.flat()),
  );
  // Without a callback, the client emits an error to its own listeners, and drops a reply.
  const told = isTold
    ? (callback as () => void)
    : (error: unknown) => void (error && client.emit('error', error));
  const outer = sending.enter(client);
  try {
    return original.apply(client, [
      ...(isTold ? args.slice(0, -1) : args),
      finishing(operation, told),
    ]);
  } catch (error) {
    operation.settle(error);
    operation.end();
    throw error;
  } finally {
    sending.leave(outer);
  }
}
