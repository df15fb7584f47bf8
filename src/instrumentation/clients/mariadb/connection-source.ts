import { CallScope } from '../../../carry/call-scope.ts';
import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import { SeenPrototypes } from '../../../base/seen-prototypes.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { PendingOperation } from '../../pending-operation.ts';
import { isThrownRecorded } from '../../thrown-calls.ts';
import { tryWrap } from '../../wrap.ts';
import { belongsTo, operationOfCall, ownQuestion, selecting, takeReserved } from './call-scopes.ts';
import {
  abandon,
  isAttached,
  carry,
  patchCommands,
  prepareFor,
  preparedFor,
  settlingStream,
  type CommandState,
} from './commands.ts';
import { batchSizeOf, describeStatement, endpointOf } from './attributes.ts';
import { measureOpening } from './pool-source.ts';
import type { Command, CommandParameter, Connection } from './library-types.ts';

/*
 * `batches` is keyed by the operation of a batch, which is over when all of its value sets are.
 * `importing` holds the connections that read a file, whose statements are not told apart, and
 * `quiet` those that the application did not request. `destroying` is set while a connection is
 * destroyed, which opens another one.
 */
const batches = new WeakMap<PendingOperation, Batch>();
const importing = new WeakSet<Connection>();
const quiet = new WeakSet<Connection>();
const destroying = new CallScope<true>();

interface Batch {
  parameter: CommandParameter;
  /** The number of value sets that are still to be executed, once known. */
  remaining?: number;
}

/** The library's own queries, on a new connection and after a reset. */
const OWN_QUESTIONS = [
  'executeSessionVariableQuery',
  'handleCharset',
  'handleTimezone',
  '_setSessionTimezone',
  'checkServerVersion',
  'executeInitQuery',
  'executeSessionTimeout',
] as const;

/** As the library reports it. */
const NO_VALUES = Object.assign(new Error('Batch must have values set'), {
  code: 'ER_BATCH_WITH_NO_VALUES',
});

const ADDERS = [
  'addCommandQueue',
  'addCommandEnable',
  'addCommandEnablePipeline',
  'addCommandDisabled',
] as const;

/** Patches a class of connections, and the classes of commands when they first occur. */
export function patchConnection(prototype: Connection, recorder: Recorder): Undo | undefined {
  const release = reservePatch(prototype, 'mariadb connection');
  if (!release) return undefined;
  const commands = new SeenPrototypes(patchCommands);
  const add = (connection: Connection, command: Command): CommandState | undefined => {
    commands.see(command);
    return added(connection, command, recorder);
  };
  return undoAll([
    release,
    commands.undo,
    // Events of a connection belong to no call.
    tryWrap(prototype, { kind: 'emitter', module: 'mariadb', events: ['connect', 'end', 'error'] }),
    ...ADDERS.map((name) =>
      patchHotMethod(prototype, name, (original, patch) => addOf(original, patch, add)),
    ),
    patchMethod(prototype, 'connect', (original) => {
      return function connect() {
        if (destroying.current) quiet.add(this);
        // The socket outlives the call that opened it.
        const connected = runInRoot(original, this);
        measureOpening(this, connected, recorder);
        return connected;
      };
    }),
    ...OWN_QUESTIONS.map((name) => patchMethod(prototype, name, asOwnQuestion)),
    patchMethod(prototype, 'prepareExecute', (original) => {
      return function prepareExecute(cmdParam, ...rest) {
        // Two commands, one operation.
        if (!operationOfCall(cmdParam) && isParameter(cmdParam) && cmdParam.sql) {
          belongsTo(cmdParam, takeReserved(this) ?? new PendingOperation('MARIADB_EXECUTE'));
        }
        return original.call(this, cmdParam, ...rest);
      };
    }),
    patchMethod(prototype, 'prepare', (original) => {
      return function prepare(cmdParam, resolve, reject) {
        const operation = operationOfCall(cmdParam);
        if (!operation) return original.call(this, cmdParam, resolve, reject);
        // It may be in the connection's cache; then no command prepares it.
        const adopting: typeof resolve = (statement) => {
          prepareFor(operation, statement);
          return resolve(statement);
        };
        return original.call(this, cmdParam, adopting, reject);
      };
    }),
    patchMethod(prototype, 'batch', (original) => {
      return function batch(cmdParam, ...rest) {
        if (!isParameter(cmdParam)) return original.call(this, cmdParam, ...rest);
        const known = operationOfCall(cmdParam) ?? takeReserved(this);
        if (!cmdParam.sql || !cmdParam.values) {
          // Refused: no command will report it.
          known?.settle(NO_VALUES);
          known?.end();
          return original.call(this, cmdParam, ...rest);
        }
        const operation = known ?? new PendingOperation('MARIADB_BATCH');
        belongsTo(cmdParam, operation);
        batches.set(operation, { parameter: cmdParam });
        return original.call(this, cmdParam, ...rest);
      };
    }),
    patchMethod(prototype, 'importFile', (original) => importFileOf(original, recorder)),
    patchMethod(prototype, 'destroy', (original) => {
      return function destroy() {
        return destroying.run(true, () => original.call(this));
      };
    }),
    patchMethod(prototype, 'socketErrorDispatchToQueries', (original) => {
      return function socketErrorDispatchToQueries(error) {
        // Commands that were not sent get no notification.
        const deaf = (this.receiveQueue?.toArray() ?? []).filter((it) => !it.onPacketReceive);
        const result = original.call(this, error);
        abandon(deaf, error);
        return result;
      };
    }),
    patchMethod(prototype, 'clear', (original) => {
      return function clear() {
        const { sendQueue, receiveQueue, waitingAuthenticationQueue } = this;
        const deaf = [sendQueue, receiveQueue, waitingAuthenticationQueue].flatMap(
          (queue) => queue?.toArray() ?? [],
        );
        const result = original.call(this);
        abandon(deaf, new Error('The connection is closed'));
        return result;
      };
    }),
  ]);
}

function isParameter(value: unknown): value is CommandParameter {
  return typeof value === 'object' && value !== null;
}

function asOwnQuestion<Args extends unknown[]>(
  original: (this: Connection, ...args: Args) => unknown,
): (this: Connection, ...args: Args) => unknown {
  return function asking(...args) {
    return ownQuestion.run(true, () => original.apply(this, args));
  };
}

type Adder = (this: Connection, command: Command, ...rest: unknown[]) => unknown;

function addOf(
  original: Adder,
  patch: PatchState,
  add: (connection: Connection, command: Command) => CommandState | undefined,
): Adder {
  return function addCommand(command, ...rest) {
    // A command that waited for its connection is added a second time.
    const made = isAttached(command) || patch.isUndone ? undefined : add(this, command);
    if (!made) return original.call(this, command, ...rest);
    try {
      return made.operation.run(original, this, command, ...rest);
    } catch (error) {
      // It should be sent at once but cannot be, and no further event follows. The application's
      // connection object throws the error, too.
      if (made.operation.isDescribed) isThrownRecorded(error);
      made.operation.settle(error);
      made.operation.end();
      throw error;
    }
  };
}

/** Handles a command that is passed to its connection. */
function added(
  connection: Connection,
  command: Command,
  recorder: Recorder,
): CommandState | undefined {
  // While a file is imported, all other commands wait in a separate queue.
  if (quiet.has(connection)) return undefined;
  const isStatement = typeof command.sql === 'string' || 'initialValues' in command;
  // The command that closes a prepared statement has no response.
  if (!isStatement && command.prepare) return undefined;
  const preparing = 'executeCommand' in command;
  const isOwn = ownQuestion.current === true || importing.has(connection);
  const known = operationOfCall(command.cmdParam) ?? preparedFor(command.prepare);
  const operation =
    known ??
    (isStatement && !isOwn ? takeReserved(connection) : undefined) ??
    new PendingOperation('MARIADB_COMMAND');
  // A call of a pool or cluster may have been recorded before it had a connection.
  const isPart = known !== undefined || operation.isDescribed;
  const made: CommandState = { operation, isLast: lastOf(operation, command, preparing && isPart) };
  carry(command, made);
  if (command.inStream) settlingStream(command, command.inStream);
  if (isStatement && !isOwn && (isPart || !preparing)) {
    record(connection, command, operation, recorder);
  }
  return made;
}

const always = (): boolean => true;
const isEmpty = (values: unknown): boolean => Array.isArray(values) && values.length === 0;

function lastOf(
  operation: PendingOperation,
  command: Command,
  isPreparing: boolean,
): CommandState['isLast'] {
  const batch = batches.get(operation);
  // An empty batch executes nothing.
  if (isPreparing) return () => batch !== undefined && isEmpty(batch.parameter.values);
  // Sent one by one, the sets are separate calls; sent together, they are the call itself.
  if (!batch || command.cmdParam === batch.parameter) return always;
  const { values } = batch.parameter;
  batch.remaining ??= Array.isArray(values) ? values.length : 1;
  return () => --batch.remaining! <= 0;
}

function record(
  connection: Connection,
  command: Command,
  operation: PendingOperation,
  recorder: Recorder,
): void {
  if (operation.isDescribed) {
    operation.recording?.connectedTo(endpointOf(connection));
  } else if (recorder.isListening) {
    const { sql, initialValues: values } = command;
    const described = describeStatement(endpointOf(connection), { sql, values });
    const batch = batches.get(operation);
    if (batch) described.batchSize = batchSizeOf(batch.parameter);
    operation.record(recorder, described);
  }
  // A prepared statement is identified by its text, which must stay the same.
  const isPrepared = 'executeCommand' in command || 'prepare' in command;
  if (!isPrepared && operation.recording && typeof command.sql === 'string') {
    command.sql = operation.recording.comment(command.sql);
  }
}

function importFileOf(
  original: Connection['importFile'],
  recorder: Recorder,
): Connection['importFile'] {
  return function importFile(this: Connection, cmdParam, resolve, reject) {
    const operation = new PendingOperation('MARIADB_IMPORT');
    const endpoint = endpointOf(this);
    // The statements in the file are not known.
    if (recorder.isListening) operation.record(recorder, { endpoint, summary: 'BATCH' });
    importing.add(this);
    const ending =
      (tell: (value?: unknown) => unknown, isError: boolean) =>
      (value?: unknown): unknown => {
        importing.delete(this);
        operation.settle(isError ? (value ?? new Error('no reason given')) : undefined);
        try {
          return operation.run(tell, undefined, value);
        } finally {
          operation.end();
        }
      };
    const call = (): unknown =>
      original.call(this, cmdParam, ending(resolve, false), ending(reject, true));
    return selecting.run(undefined, call);
  };
}
