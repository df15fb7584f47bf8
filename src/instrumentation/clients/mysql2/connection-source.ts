import type { Operation } from '../../operation.ts';
import {
  reservePatch,
  ownerOf,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import { SeenPrototypes } from '../../../base/seen-prototypes.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { bindCallback, PendingOperation } from '../../pending-operation.ts';
import { failThrown } from '../../thrown-calls.ts';
import {
  abandon,
  answering,
  attach,
  commandsOf,
  executed,
  carry,
  stateOf,
  newState,
  patchCommands,
} from './commands.ts';
import { executing, making } from '../mysql-shared/call-scopes.ts';
import { describeStatement, endpointOf } from '../mysql-shared/attributes.ts';
import type { ResultCallback } from '../mysql-shared/library-types.ts';
import { queryOf } from '../mysql-shared/thrown-queries.ts';
import type { Command, Connection } from './library-types.ts';

interface ConnectionClass {
  prototype: Connection;
  createQuery(...args: unknown[]): Command;
}

/** Patches a class of connections, and the classes of commands when they first occur. */
export function patchConnection(Connection: ConnectionClass, recorder: Recorder): Undo | undefined {
  const owner = ownerOf(Connection.prototype, 'addCommand');
  const release = owner && reservePatch(owner, 'mysql2 connection');
  if (!release) return undefined;
  const prototype = owner as Connection;
  const commands = new SeenPrototypes(patchCommands);
  const { constructor } = owner as unknown as { constructor: ConnectionClass };
  return undoAll([
    release,
    commands.undo,
    patchHotMethod(constructor, 'createQuery', (original, patch) => {
      return function createQuery(...args) {
        const command = original.apply(this, args);
        const operation = patch.isUndone ? undefined : making.take();
        if (operation) carry(command, operation);
        return command;
      };
    }),
    patchHotMethod(prototype, 'addCommand', (original, patch) => {
      return function addCommand(command) {
        if (patch.isUndone) return original.call(this, command);
        commands.see(command);
        added(this, command, recorder);
        return original.call(this, command);
      };
    }),
    patchMethod(prototype, '_addCommandClosedState', (original) => {
      return function _addCommandClosedState(command) {
        added(this, command, recorder);
        const result = original.call(this, command);
        abandon([command], new Error('The connection is closed'));
        return result;
      };
    }),
    patchHotMethod(prototype, 'query', (original, patch) =>
      queryOf(original, patch, recorder, endpointOfConnection),
    ),
    patchHotMethod(prototype, 'execute', (original, patch) => executeOf(original, patch, recorder)),
    patchMethod(prototype, 'connect', (original) => {
      return function connect(callback) {
        if (typeof callback !== 'function') return original.call(this, callback);
        return original.call(this, bindCallback('MYSQL2_CONNECT', callback as () => void));
      };
    }),
    patchMethod(prototype, '_notifyError', (original) => {
      return function _notifyError(error) {
        // Commands that emit events are not notified.
        const deaf = [...commandsOf(this._command, this._commands)].filter(
          ({ onResult }) => onResult === undefined,
        );
        const result = original.call(this, error);
        abandon(deaf, error);
        return result;
      };
    }),
    patchMethod(prototype, 'close', (original) => {
      return function close() {
        // A connection that is closed on purpose does not notify its commands.
        const deaf = [...commandsOf(this._command, this._commands)];
        const result = original.call(this);
        abandon(deaf, new Error('The connection was closed'));
        return result;
      };
    }),
  ]);
}

/** Returns where the commands of `connection` go. */
export function endpointOfConnection(connection: Connection): Endpoint {
  return endpointOf(connection, () => ({
    version: connection._handshakePacket?.serverVersion,
    stream: connection.stream,
  }));
}

/** Handles a command that is about to be queued on `connection`. */
function added(connection: Connection, command: Command, recorder: Recorder): void {
  // The handshake belongs to no call.
  if (!('onResult' in command)) return;
  const isStatement = 'stream' in command;
  const preparing = executed.current;
  // The command that prepares a statement only notifies the one that executes it.
  if (preparing && !isStatement) return;
  const made =
    stateOf(command) ??
    (preparing
      ? attach(preparing, command)
      : carry(command, new PendingOperation('MYSQL2_COMMAND')));
  made.isQueued = true;
  if (!isStatement) return;
  const { operation } = made;
  if (operation.isDescribed) {
    const endpoint = endpointOfConnection(connection);
    operation.recording?.connectedTo(endpoint);
    // A pool does not read getters of its arguments; by now the library has read them.
    if (operation.recording?.hasText === false) {
      operation.recording.learn(describeCommand(endpoint, command));
    }
  } else if (recorder.isListening) {
    operation.record(recorder, describeCommand(endpointOfConnection(connection), command));
  }
  const { recording } = operation;
  // A prepared statement is identified by its text, which must stay the same.
  if (recording && typeof command.sql === 'string' && '_queryOptions' in command) {
    command.sql = recording.comment(command.sql);
  }
}

/** The statement as given, before its values were written into it. */
function describeCommand(
  endpoint: Endpoint,
  { _queryOptions, statement, sql, values }: Command,
): Operation {
  return _queryOptions
    ? describeStatement(endpoint, _queryOptions.sql, _queryOptions.values)
    : describeStatement(endpoint, sql ?? statement?.query, values);
}

/** `execute` prepares and executes, in two commands: one operation. */
function executeOf(
  original: Connection['execute'],
  patch: PatchState,
  recorder: Recorder,
): Connection['execute'] {
  return function execute(this: Connection, ...args) {
    if (patch.isUndone) return original.apply(this, args);
    const pooled = executing.current;
    const made = newState(pooled ?? new PendingOperation('MYSQL2_EXECUTE'), pooled !== undefined);
    const index = typeof args[1] === 'function' ? 1 : 2;
    const callback = args[index];
    // A failure to prepare is reported there.
    if (typeof callback === 'function') args[index] = answering(made, callback as ResultCallback);
    const outer = executed.enter(made);
    try {
      return original.apply(this, args);
    } catch (error) {
      const describe = (): Operation =>
        describeStatement(endpointOfConnection(this), args[0], undefined);
      failThrown(made.operation, recorder, describe, error);
      throw error;
    } finally {
      executed.leave(outer);
    }
  };
}
