import { PendingOperation } from '../../pending-operation.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import type { OperationRecording } from '../../recorder/operation-recording.ts';
import { setUp } from '../../redis/setup.ts';
import { handOn, recorded, settlingOperation, takeCall } from './call-scopes.ts';
import {
  allWithContext,
  carriedOut,
  describe,
  describeQueue,
  errorIn,
  withContext,
} from './attributes.ts';
import { legacyPatch } from './legacy-source.ts';
import { connecting, patchEvents } from './events-source.ts';
import { patchFactory } from './script-names.ts';
import { patchSubscriptions } from './subscription-source.ts';
import type {
  ClassOf,
  CommandArguments,
  Method,
  QueuedCommand,
  RedisClient4,
  ScriptForm,
  TransformReply,
  Send,
} from './library-types.ts';

/** Patches the class of clients of version 4. */
export function patchClient4(Client: ClassOf<RedisClient4>, recorder: Recorder): Undo | undefined {
  const { prototype } = Client;
  const release = reservePatch(prototype, 'redis client');
  if (!release) return undefined;
  // The client's own method, which in legacy mode is hidden by another on the client itself.
  const sendCommand: Send = Reflect.get(prototype, 'sendCommand');
  const send: Send = function (this: RedisClient4, args, options) {
    return sent(this, recorder, args, options, sendCommand);
  };
  const legacy = legacyPatch(recorder, send);
  return undoAll([
    release,
    patchFactory(Client),
    legacy.undo,
    patchEvents(prototype),
    patchSubscriptions(prototype, recorder),
    patchCommands(prototype, recorder, send),
    patchMethod(prototype, 'sendCommand', () => send),
    patchMethod(prototype, 'connect', (original) => {
      return function connect(...args) {
        if (this.options?.legacyMode) legacy.apply(this);
        return connecting(this, () => setUp(original, this, ...args));
      };
    }),
    patchMethod(prototype, 'SELECT', (original) => {
      return function SELECT(...args) {
        const command = ['SELECT', String(args.at(-1))];
        return recorded(
          this,
          recorder,
          () => describe(this, command),
          () => original.apply(this, args),
          () => carriedOut(this, command),
        );
      };
    }),
    patchMethod(prototype, 'executeScript', (original) => {
      return function executeScript(script, args, ...rest) {
        return recorded(
          this,
          recorder,
          () => describe(this, ['EVALSHA', script.SHA1, ...countOf(script), ...args]),
          () => original.call(this, script, args, ...rest),
        );
      };
    }),
    patchMethod(prototype, 'executeFunction', (original) => {
      return function executeFunction(name, fn, args, ...rest) {
        const command = fn.IS_READ_ONLY ? 'FCALL_RO' : 'FCALL';
        return recorded(
          this,
          recorder,
          () => describe(this, [command, name, ...countOf(fn), ...args]),
          () => original.call(this, name, fn, args, ...rest),
        );
      };
    }),
    patchMethod(prototype, 'multiExecutor', (original) => {
      return function multiExecutor(commands, ...rest) {
        const isTransaction = rest.some((arg) => typeof arg === 'symbol');
        return recorded(
          this,
          recorder,
          () =>
            isTransaction
              ? describeQueue(this, 'MULTI', commands.filter(isInside))
              : describeQueue(this, 'PIPELINE', commands),
          (recording) =>
            original.call(this, allWithContext(recorder, recording, commands), ...rest),
          errorIn,
        );
      };
    }),
    patchMethod(prototype, 'executeIsolated', (original) => {
      return function executeIsolated(task) {
        if (typeof task !== 'function') return original.call(this, task);
        // A task for a command that needs an isolated client; otherwise a task of the application.
        const call = takeCall();
        const askedAt = performance.now();
        return original.call(this, (client) => {
          const waited = performance.now() - askedAt;
          return handOn({ operation: call?.operation, askedAt, waited }, () => task(client));
        });
      };
    }),
  ]);
}

function sent(
  client: RedisClient4,
  recorder: Recorder,
  args: CommandArguments,
  options: unknown,
  original: Send,
): unknown {
  if (!Array.isArray(args)) return original.call(client, args, options);
  const describing = (whole?: readonly unknown[]): ReturnType<typeof describe> =>
    describe(client, whole ?? args);
  const isIsolated = (options as { isolated?: unknown } | undefined)?.isolated === true;
  if (!isIsolated || !recorder.isListening) {
    const done = (): undefined => carriedOut(client, args);
    const sending = (recording?: OperationRecording): unknown =>
      original.call(client, withContext(recorder, recording, args), options);
    return recorded(client, recorder, describing, sending, done);
  }
  // It is sent by another client, once one is available.
  const call = takeCall();
  const given = call?.operation;
  const operation = given ?? new PendingOperation('REDIS_COMMAND');
  const run = (): unknown =>
    handOn({ ...call, operation }, () => original.call(client, args, options));
  if (!given) operation.record(recorder, describing());
  return given ? run() : settlingOperation(operation, run);
}

/**
 * Patches the methods of all commands. They end in a private method and get what to send from a
 * private table; the methods of a batch with the same name use the same table, and pass the result
 * to their batch.
 */
function patchCommands(prototype: RedisClient4, recorder: Recorder, send: Send): Undo {
  const methods = prototype as unknown as Record<string, Method>;
  const queueing = prototype.Multi.prototype;
  const names = Object.keys(methods).filter((name) => Object.hasOwn(queueing, name));
  const executed = (
    client: RedisClient4,
    args: unknown[],
    transform: (args: unknown[]) => Transformed,
  ): Promise<unknown> | undefined =>
    (recorder.isListening || recorder.config.streamContext) && isClient(prototype, client)
      ? execute(client, args, transform, send)
      : undefined;
  return undoAll([
    ...names.map((name) => {
      const queue = queueing[name]!;
      const transform = (given: unknown[]): Transformed => {
        const collector = new Collector();
        queue.apply(collector, given);
        return collector;
      };
      return patchMethod(methods, name, (original) => {
        return function command(this: unknown, ...args) {
          return executed(this as RedisClient4, args, transform) ?? original.apply(this, args);
        };
      });
    }),
    // Commands of modules, whose methods are created with each client.
    patchMethod(prototype, 'commandsExecutor', (original) => {
      return function commandsExecutor(form, args) {
        const transform = (given: unknown[]): Transformed => ({
          args: form.transformArguments(...given),
          transformReply: form.transformReply?.bind(form),
        });
        return executed(this, args, transform) ?? original.call(this, form, args);
      };
    }),
  ]);
}

/** Returns the transformed arguments of a command. */
interface Transformed {
  args: CommandArguments;
  transformReply: TransformReply;
}

/** In the place of a batch. */
class Collector implements Transformed {
  args: CommandArguments = [];
  transformReply: TransformReply;

  addCommand(args: CommandArguments, transformReply: TransformReply): this {
    this.args = args;
    this.transformReply = transformReply;
    return this;
  }
}

/** Does what the client does for a command, with its private method replaced by `send`. */
async function execute(
  client: RedisClient4,
  given: unknown[],
  transform: (args: unknown[]) => Transformed,
  send: Send,
): Promise<unknown> {
  const options = isCommandOptions(given[0]) ? given[0] : undefined;
  const { args, transformReply } = transform(options ? given.slice(1) : given);
  const reply = await send.call(client, args, options);
  return transformReply ? transformReply(reply, args.preserve) : reply;
}

function isClient(prototype: object, client: unknown): boolean {
  return Object.prototype.isPrototypeOf.call(prototype, client as object);
}

/** The options that `commandOptions()` marked. */
function isCommandOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getOwnPropertySymbols(value).some(
    ({ description }) => description === 'Command Options',
  );
}

/** The number of keys of a script, if its author declared it. */
function countOf({ NUMBER_OF_KEYS }: ScriptForm): string[] {
  return NUMBER_OF_KEYS === undefined ? [] : [String(NUMBER_OF_KEYS)];
}

/** The first call in line also queues the beginning and the end of a transaction. */
function isInside({ args }: QueuedCommand): boolean {
  return args[0] !== 'MULTI' && args[0] !== 'EXEC';
}
