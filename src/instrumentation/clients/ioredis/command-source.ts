import { channel } from 'node:diagnostics_channel';

import { attachWork, workOf } from '../../../carry/unit-of-work.ts';
import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { isExchange, isReceiving } from '../../redis/message-commands.ts';
import { isSettingUp } from '../../redis/setup.ts';
import { contextFields } from '../../redis/stream-entries.ts';
import { CommandOperation } from './command-operation.ts';
import { patchConnection } from './connection-source.ts';
import { failThrown, recordThrown } from '../../thrown-calls.ts';
import { describe, endpointOf } from './attributes.ts';
import { currentScript, isScriptCommand, patchScripts, undoScripts } from './script-source.ts';
import type { ClassOf, RedisCommand, RedisConnection } from './library-types.ts';

/*
 * Handles every sending of a command: by the application, from the offline queue, from a cluster to
 * one of its servers, again after a reconnection. The first one is the call, which attaches its
 * operation to the command that the client made for it.
 */

/** The client's own channel, whose subscribers should run in the context of a command's caller. */
const COMMAND_START = channel('tracing:ioredis:command:start');

/** Whether an operation is needed: the client itself keeps the context for its promises. */
export function isWanted(recorder: Recorder, name = ''): boolean {
  return (
    recorder.isListening ||
    COMMAND_START.hasSubscribers ||
    (isReceiving(name) && recorder.isListeningToMessages)
  );
}

/** Lets `command` be sent in the scope of `operation`, and not as an operation of its own. */
export function link(command: RedisCommand, operation: CommandOperation): void {
  attachWork(command, operation);
}

export function isLinked(command: RedisCommand): boolean {
  return workOf(command) !== undefined;
}

/** Patches a class of connections: to one server, or to a cluster. */
export function patchRedis(
  { prototype }: ClassOf<RedisConnection>,
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'ioredis connection');
  if (!release) return undefined;
  return undoAll([
    release,
    undoScripts,
    patchConnection(prototype, recorder),
    patchScripts(prototype, recorder),
    patchHotMethod(prototype, 'sendCommand', (original, patch) => {
      return function sendCommand(command, ...rest) {
        if (patch.isUndone) return original.call(this, command, ...rest);
        if (!isCommand(command)) return refusing(this, recorder, original, [command, ...rest]);
        const known = workOf<CommandOperation>(command);
        if (known) return known.run(sendAgain, this, known, recorder, original, command, rest);
        if (!isTheUsers(command)) return original.call(this, command, ...rest);
        const operation = isWanted(recorder, command.name)
          ? start(this, command, recorder)
          : undefined;
        carryContext(command, operation, recorder);
        if (operation === undefined) return original.call(this, command, ...rest);
        try {
          return original.call(this, command, ...rest);
        } catch (error) {
          // An argument could not be turned into text.
          failThrown(operation, recorder, () => describe(this, command), error);
          throw error;
        }
      };
    }),
    // If the command's name is invalid, there is no command at all.
    ...(['call', 'callBuffer', 'send_command'] as const).map((name) =>
      patchMethod(prototype, name, (original) => {
        return function call(...args) {
          return refusing(this, recorder, original, args);
        };
      }),
    ),
  ]);
}

/** Sends a command whose call was observed, in the context of that call. */
function sendAgain(
  this: RedisConnection,
  operation: CommandOperation,
  recorder: Recorder,
  original: RedisConnection['sendCommand'],
  command: RedisCommand,
  rest: unknown[],
): unknown {
  operation.sending(this, command, recorder);
  return original.call(this, command, ...rest);
}

/** The client itself rejects a value that is not a command. */
function isCommand(command: unknown): command is RedisCommand {
  const { resolve, name } = (command ?? {}) as Partial<RedisCommand>;
  return typeof resolve === 'function' && typeof name === 'string';
}

/** Calls `original`, and records the call if it throws. */
function refusing<Args extends unknown[]>(
  connection: RedisConnection,
  recorder: Recorder,
  original: (this: RedisConnection, ...args: Args) => unknown,
  args: Args,
): unknown {
  try {
    return original.apply(connection, args);
  } catch (error) {
    recordThrown(recorder, () => ({ endpoint: endpointOf(connection) }), error);
    throw error;
  }
}

/** Commands of a pipeline belong to the pipeline; others are sent by the client itself. */
function isTheUsers(command: RedisCommand): boolean {
  if (command.pipelineIndex !== undefined || command.name === 'asking') return false;
  // A script that the server did not have is sent again in full, by the client.
  if (isScriptCommand(command) && currentScript() === undefined) return false;
  return !isSettingUp();
}

function start(
  connection: RedisConnection,
  command: RedisCommand,
  recorder: Recorder,
): CommandOperation {
  const script = currentScript();
  const operation = script?.operation ?? new CommandOperation();
  attachWork(command, operation);
  if (script?.operation === undefined) observe(command, operation, recorder);
  // A cluster that is ready passes the command on before this call returns, so its server is known
  // at the start, when the sampler is called.
  const isPassedOn = connection.isCluster === true && connection.status === 'ready';
  if (isPassedOn || !(recorder.isListening || isReceiving(command.name))) return operation;
  operation.record(recorder, describe(connection, command));
  if (connection.status === 'ready') operation.located();
  return operation;
}

/**
 * Adds the context to an entry of a stream. The list belongs to the client and was made for this
 * command.
 */
export function carryContext(
  command: RedisCommand,
  operation: CommandOperation | undefined,
  recorder: Recorder,
): void {
  const fields = contextFields(recorder, operation?.recording, command.name, command.args);
  if (fields) (command.args as unknown[]).push(...fields);
}

/** Observes the end of `command`, before its promise settles for the application. */
function observe(command: RedisCommand, operation: CommandOperation, recorder: Recorder): void {
  const { resolve, reject } = command;
  let result: unknown;
  if (recorder.config.responseHook || isExchange(command.name)) {
    const transform = command.transformReply.bind(command);
    const keepResult = (reply: unknown): unknown => (result = transform(reply));
    command.transformReply = keepResult;
  }
  const resolved: RedisCommand['resolve'] = (reply) => {
    // It rejects by itself if the reply cannot be transformed.
    const returned = resolve(reply);
    operation.settle(undefined, result);
    operation.end();
    return returned;
  };
  const rejected: RedisCommand['reject'] = (error) => {
    operation.settle(error);
    operation.end();
    return reject(error);
  };
  command.resolve = resolved;
  command.reject = rejected;
}
