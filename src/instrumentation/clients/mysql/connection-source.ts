import { attachWork, workOf } from '../../../carry/unit-of-work.ts';
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
import { PendingOperation } from '../../pending-operation.ts';
import { acquiring, making } from '../mysql-shared/call-scopes.ts';
import { queryOf } from '../mysql-shared/thrown-queries.ts';
import { describeStatement, endpointOf } from '../mysql-shared/attributes.ts';
import type { Connection, ConnectionClass, Protocol, Sequence } from './library-types.ts';

/*
 * A protocol executes sequences, which the library makes for every call and drives by `emit` and
 * `end`. A sequence holds the operation of its call, set when a query is made for a pool or a
 * sequence is queued, and the statement as it was before the values were written into it. A table
 * keyed by sequence would keep both through every minor garbage collection.
 */
const TEXT = Symbol('clew text');

interface WithText {
  [TEXT]?: unknown;
}

function operationOf(sequence: Sequence): PendingOperation | undefined {
  return workOf(sequence);
}

/** Patches the method with which a class of connections makes queries. */
export function patchConnection(Connection: ConnectionClass, recorder: Recorder): Undo | undefined {
  const release = reservePatch(Connection, 'mysql connection');
  if (!release) return undefined;
  return undoAll([
    release,
    patchHotMethod(Connection.prototype, 'query', (original, patch) =>
      queryOf(original, patch, recorder, endpointOfConnection),
    ),
    patchHotMethod(Connection, 'createQuery', (original, patch) => {
      return function createQuery(...args) {
        const query = original.apply(this, args);
        if (patch.isUndone) return query;
        const sequence = query as Sequence & WithText;
        if (!(TEXT in sequence)) sequence[TEXT] = query.sql;
        const operation = making.take();
        if (operation) attachWork(sequence, operation);
        return query;
      };
    }),
  ]);
}

/** Patches a class of protocols, and the classes of sequences when they first occur. */
export function patchProtocol(prototype: Protocol, recorder: Recorder): Undo | undefined {
  const release = reservePatch(prototype, 'mysql protocol');
  if (!release) return undefined;
  const sequences = new SeenPrototypes(patchSequences);
  return undoAll([
    release,
    sequences.undo,
    // The first thing that `_enqueue` does. It captures a stack trace next, to which a wrapper
    // would add frames.
    patchHotMethod(prototype, '_validateEnqueue', (original, patch) => {
      return function _validateEnqueue(sequence) {
        if (patch.isUndone) return original.call(this, sequence);
        sequences.see(sequence);
        enqueued(this, sequence, recorder);
        return original.call(this, sequence);
      };
    }),
    patchMethod(prototype, 'destroy', (original) => {
      return function destroy() {
        // A connection that is destroyed does not notify its commands.
        const waiting = [...(this._queue ?? [])];
        const result = original.call(this);
        for (const sequence of waiting) {
          const operation = operationOf(sequence);
          operation?.settle(new Error('The connection was destroyed'));
          operation?.end();
        }
        return result;
      };
    }),
  ]);
}

/** Returns where the queries of `connection` go. */
export function endpointOfConnection(connection: Connection): Endpoint {
  return endpointOf(connection, () => ({
    version: connection._protocol?._handshakeInitializationPacket?.serverVersion,
    stream: connection._socket,
  }));
}

function enqueued(protocol: Protocol, sequence: Sequence, recorder: Recorder): void {
  let operation = operationOf(sequence);
  if (!operation && acquiring.current && !('sql' in sequence)) return;
  if (!operation) {
    operation = new PendingOperation('MYSQL_SEQUENCE');
    attachWork(sequence, operation);
  }
  const { _connection: connection } = protocol;
  if (!('sql' in sequence) || !connection) return;
  const endpoint = endpointOfConnection(connection);
  const describe = (): Operation =>
    describeStatement(endpoint, (sequence as WithText)[TEXT] ?? sequence.sql, sequence.values);
  if (operation.isDescribed) {
    operation.recording?.connectedTo(endpoint);
    // A pool does not read getters of its arguments; by now the library has read them.
    if (operation.recording?.hasText === false) operation.recording.learn(describe());
  } else if (recorder.isListening) {
    operation.record(recorder, describe());
  }
  const { recording } = operation;
  if (recording && typeof sequence.sql === 'string') {
    sequence.sql = recording.comment(sequence.sql);
  }
}

/**
 * Patches the base class of sequences, and the methods that call user code in the class of
 * `prototype`.
 */
function patchSequences(prototype: object): Undo | undefined {
  const base = ownerOf(prototype, '_packetToError') as Sequence | undefined;
  const query = ownerOf(prototype, 'stream') as Sequence | undefined;
  const undos = [
    base && reservePatch(base, 'mysql sequence'),
    query && reservePatch(query, 'mysql query'),
  ];
  if (undos[0]) {
    undos.push(patchHotMethod(base!, 'end', endOf), patchHotMethod(base!, 'emit', emitOf));
  }
  if (undos[1]) {
    undos.push(
      patchHotMethod(query!, 'RowDataPacket', rowOf),
      patchMethod(query!, 'stream', streamOf),
    );
  }
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

type Method<Args extends unknown[], Result> = (this: Sequence, ...args: Args) => Result;

function endOf(
  original: Method<unknown[], unknown>,
  patch: PatchState,
): Method<unknown[], unknown> {
  return function end(...args) {
    const operation = patch.isUndone ? undefined : operationOf(this);
    if (!operation) return original.apply(this, args);
    operation.settle(args[0] ?? undefined, args[1]);
    try {
      return operation.run(original, this, ...args);
    } finally {
      operation.end();
    }
  };
}

function emitOf(
  original: Method<[event: string, ...args: unknown[]], boolean>,
  patch: PatchState,
): Method<[event: string, ...args: unknown[]], boolean> {
  return function emit(event, ...args) {
    const operation = !patch.isUndone && isHeard(this, event) ? operationOf(this) : undefined;
    return operation
      ? operation.run(original, this, event, ...args)
      : original.call(this, event, ...args);
  };
}

/** Whether there is a listener besides the protocol, to which a sequence passes its packets. */
function isHeard(sequence: Sequence, event: string): boolean {
  return sequence.listenerCount(event) > (event === 'packet' ? 1 : 0);
}

function rowOf(
  original: Method<unknown[], unknown>,
  patch: PatchState,
): Method<unknown[], unknown> {
  return function RowDataPacket(...args) {
    const isCalling = typeof this.typeCast === 'function' && !patch.isUndone;
    const operation = isCalling ? operationOf(this) : undefined;
    return operation ? operation.run(original, this, ...args) : original.apply(this, args);
  };
}

function streamOf(
  original: Method<unknown[], NodeJS.EventEmitter>,
): Method<unknown[], NodeJS.EventEmitter> {
  return function stream(...args) {
    const readable = original.apply(this, args);
    // A caller that destroys the stream does not wait for the rows that the server still sends.
    return readable.prependOnceListener('close', () => operationOf(this)?.settle());
  };
}
