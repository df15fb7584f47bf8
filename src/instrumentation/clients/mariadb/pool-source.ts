import {
  claim,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../patch.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import { PoolWait } from '../../recorder/pool-wait.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../root.ts';
import { bindCallback, RunningOperation } from '../../running-operation.ts';
import { tryWrap } from '../../wrap.ts';
import { belongsTo, quietly, reserve, selectingFor, selectingOperation } from './calls.ts';
import { describeStatement, endpointOf, plannedEndpoint } from './describe.ts';
import type { CommandParameter, Connection, Pool, PoolCallback, UserPool } from './shapes.ts';

/*
 * One operation for a query of a pool, from the call over the wait for a connection to the result.
 * `opening` is the pool that is opening a connection, while that call is on the stack.
 */
const knownConnections = new WeakSet<Connection>();
let opening: Pool | undefined;

const TYPE = 'MARIADB_POOL_CONNECTION';
/** The library's own code for having waited too long. */
const WAITED_TOO_LONG = 'ER_GET_CONNECTION_TIMEOUT';

/** Patches the class of the pools that are behind those the user has. */
export function patchPool(prototype: Pool, recorder: Recorder): Undo | undefined {
  const release = claim(prototype, 'mariadb pool');
  if (!release) return undefined;
  return undoAll([
    release,
    patchHotMethod(prototype, 'getConnection', (original, patch) =>
      getConnectionOf(original, patch, recorder),
    ),
    patchHotMethod(prototype, 'release', (original, patch) => {
      return function release(connection) {
        if (!patch.isUndone) recorder.pools.gaveBack(this, connection);
        return original.call(this, connection);
      };
    }),
    patchMethod(prototype, '_createPoolConnection', openingFromRoot),
    patchMethod(prototype, '_createConnection', openingFromRoot),
    patchMethod(prototype, '_managePoolSize', fromRoot),
    patchMethod(prototype, '_sizeHandler', fromRoot),
  ]);
}

/** Patches a class of pools that the user has: what happens to them is nobody's. */
export function patchUserPool(prototype: UserPool): Undo | undefined {
  const release = claim(prototype, 'mariadb user pool');
  if (!release) return undefined;
  return undoAll([
    release,
    tryWrap(prototype, { kind: 'emitter', module: 'mariadb' }),
    patchMethod(prototype, 'end', (original) => {
      return function end(callback) {
        if (typeof callback !== 'function') return original.call(this, callback);
        return original.call(this, bindCallback('MARIADB_POOL_END', callback as () => void));
      };
    }),
  ]);
}

/** Measures how long it takes to open `connection`, if a pool opens it: `connected` is its own promise. */
export function measureOpening(
  connection: Connection,
  connected: Promise<unknown>,
  recorder: Recorder,
): void {
  const pool = opening;
  if (!pool || !recorder.pools.isListening) return;
  const startedAt = performance.now();
  connected.then(
    () => {
      recorder.pools.watch(pool, endpointOf(connection, pool.opts.connOptions), readPool);
      recorder.pools.created(pool, performance.now() - startedAt);
    },
    () => undefined,
  );
}

type Method = (this: Pool, ...args: unknown[]) => unknown;

function fromRoot(original: Method): Method {
  return function fromRoot(...args) {
    return runInRoot(original, this, ...args);
  };
}

function openingFromRoot(original: Method): Method {
  return function openingConnection(...args) {
    return openingFor(this, () => runInRoot(original, this, ...args));
  };
}

function openingFor<Result>(pool: Pool, fn: () => Result): Result {
  const outer = opening;
  opening = pool;
  try {
    return fn();
  } finally {
    opening = outer;
  }
}

function getConnectionOf(
  original: Pool['getConnection'],
  patch: PatchState,
  recorder: Recorder,
): Pool['getConnection'] {
  return function getConnection(this: Pool, cmdParam, callback) {
    if (patch.isUndone) return original.call(this, cmdParam, callback);
    const request = requestFor(this, cmdParam, recorder);
    if (typeof callback !== 'function') {
      const promise = selectingFor(undefined, () => original.call(this, cmdParam));
      // The library's own promise: what it hands to the user it derives from this one.
      promise?.then(
        (connection) => request.got(connection),
        (error: unknown) => request.failed(error),
      );
      return promise;
    }
    const { operation } = request;
    const bound = operation ? continuing(operation, callback) : bindCallback(TYPE, callback);
    const answered: PoolCallback = (error, connection) => {
      if (connection) request.got(connection);
      else request.failed(error);
      return bound(error, connection);
    };
    return selectingFor(undefined, () => original.call(this, cmdParam, answered));
  };
}

/** The callback with which a pool continues its own query, once there is a connection. */
function continuing(operation: RunningOperation, callback: PoolCallback): PoolCallback {
  return (error, connection) => {
    try {
      return operation.run(callback, undefined, error, connection);
    } finally {
      if (error) operation.end();
    }
  };
}

interface Request {
  operation: RunningOperation | undefined;
  got(connection: Connection): void;
  failed(error: unknown): void;
}

/** What is to be done about a connection that is asked for. */
function requestFor(pool: Pool, cmdParam: CommandParameter, recorder: Recorder): Request {
  const selecting = selectingOperation();
  const { connOptions } = pool.opts;
  const operation =
    cmdParam?.sql && typeof cmdParam.sql === 'string'
      ? new RunningOperation('MARIADB_POOL_QUERY')
      : undefined;
  if (operation) {
    belongsTo(cmdParam, operation);
    if (recorder.isListening) {
      operation.record(recorder, describeStatement(plannedEndpoint(connOptions), cmdParam));
    }
  }
  const waiting = operation ?? selecting;
  const wait = PoolWait.start(
    recorder,
    pool,
    () => plannedEndpoint(connOptions),
    waiting?.recording?.isRecording ? waiting : undefined,
  );
  return {
    operation,
    got(connection) {
      const endpoint = endpointOf(connection, connOptions);
      releaseQuietly(connection);
      if (selecting) reserve(connection, selecting);
      if (recorder.pools.isListening) {
        recorder.pools.watch(pool, endpoint, readPool);
        recorder.pools.took(connection, performance.now());
      }
      wait?.end();
    },
    failed(error) {
      wait?.fail(error, (error as { code?: unknown } | undefined)?.code === WAITED_TOO_LONG);
      operation?.settle(error);
    },
  };
}

/** What the pool asks of a connection that is given back is no operation of the user's. */
function releaseQuietly(connection: Connection): void {
  const { release } = connection;
  if (typeof release !== 'function' || knownConnections.has(connection)) return;
  knownConnections.add(connection);
  connection.release = (...args) => quietly(() => Reflect.apply(release, connection, args));
}

function readPool(pool: Pool): PoolReading {
  return {
    used: pool.activeConnections(),
    idle: pool.idleConnections(),
    pending: pool.taskQueueSize(),
    max: pool.opts.connectionLimit,
    idleMin: pool.opts.minimumIdle,
  };
}
