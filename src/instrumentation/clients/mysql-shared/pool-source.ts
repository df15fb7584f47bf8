import { CallScope } from '../../../carry/call-scope.ts';
import { patchCallersEvents } from '../../callers-events.ts';
import {
  reservePatch,
  ownerOf,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import { plainProperty } from '../../plain-property.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import { PoolWait } from '../../recorder/pool-wait.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { bindCallback, finishing, PendingOperation } from '../../pending-operation.ts';
import { tryWrap } from '../../wrap.ts';
import { acquiring, executing, making } from './call-scopes.ts';
import { ANY_ENDPOINT, describeStatement, plannedEndpoint } from './attributes.ts';
import { asksFor, callerOf, isGivenBack, lastOf, opensFor } from './pool-events.ts';
import type {
  Pool,
  PoolCluster,
  PooledConnection,
  PoolNamespace,
  ResultCallback,
} from './library-types.ts';

/*
 * Records one operation for a query of a pool or a cluster, from the call through the wait for a
 * connection to the result. Both request the connection while the call is on the stack: `querying`
 * is set during that time, so that `getConnection` can tell it from a call of the user.
 * `queuedCallbacks` holds the callbacks in a pool's own queue, from which they may come back to
 * `getConnection`.
 */

/** What the instrumentation of pools needs to know of a library's connections. */
export interface Driver {
  /** The library's name, the prefix of the types of its async resources. */
  name: string;
  endpointOf(this: void, connection: PooledConnection): Endpoint;
}

const querying = new CallScope<PendingOperation>();
const queuedCallbacks = new WeakSet<object>();

/** Patches a class of pools. */
export function patchPool(
  Pool: { prototype: Pool },
  driver: Driver,
  recorder: Recorder,
): Undo | undefined {
  const owner = ownerOf(Pool.prototype, 'releaseConnection');
  const release = owner && reservePatch(owner, `${driver.name} pool`);
  if (!release) return undefined;
  const prototype = owner as Pool;
  const record: Record<Pool> = (pool, operation, args) => {
    const { connectionConfig } = pool.config;
    if (!connectionConfig || !recorder.isListening) return;
    const endpoint = plannedEndpoint(connectionConfig);
    operation.record(recorder, describeStatement(endpoint, ...statementOf(args)));
  };
  return undoAll([
    release,
    // Events of a pool belong to no call: its listeners run in the context they were registered in.
    patchCallersEvents(prototype, callerOf),
    tryWrap(prototype, { kind: 'emitter', module: driver.name }),
    // For mysql only: pings a connection first.
    patchMethod(prototype as Required<Pool>, 'acquireConnection', (original) => {
      return function acquireConnection(connection, callback) {
        opensFor(connection, callback);
        return original.call(this, connection, callback);
      };
    }),
    patchHotMethod(prototype, 'query', (original, patch) => queryOf(original, patch, record)),
    patchHotMethod(prototype, 'execute', (original, patch) => executeOf(original, patch, record)),
    patchHotMethod(prototype, 'getConnection', (original, patch) =>
      getConnectionOf(original, patch, driver, recorder),
    ),
    patchHotMethod(prototype, 'releaseConnection', (original, patch) => {
      return function releaseConnection(connection) {
        if (patch.isUndone) return original.call(this, connection);
        recorder.pools.gaveBack(this, connection);
        isGivenBack(connection);
        return original.call(this, connection);
      };
    }),
    patchMethod(prototype, 'end', endOf),
  ]);
}

/** Patches a class of clusters, and the class of their selections when the first one is made. */
export function patchCluster(
  Cluster: { prototype: PoolCluster },
  driver: Driver,
  recorder: Recorder,
): Undo | undefined {
  const { prototype } = Cluster;
  const release = reservePatch(prototype, `${driver.name} cluster`);
  if (!release) return undefined;
  const record: Record<PoolNamespace> = (_namespace, operation, args) => {
    if (!recorder.isListening) return;
    operation.record(recorder, describeStatement(ANY_ENDPOINT, ...statementOf(args)));
  };
  const undos: (Undo | undefined)[] = [];
  return undoAll([
    release,
    () => undoAll(undos)(),
    patchMethod(prototype, 'end', endOf),
    patchMethod(prototype, 'of', (original) => {
      return function of(...args) {
        const namespace = original.apply(this, args);
        const owner = Object.getPrototypeOf(namespace) as PoolNamespace;
        const releaseNamespace = reservePatch(owner, `${driver.name} namespace`);
        if (releaseNamespace) {
          undos.push(
            releaseNamespace,
            patchHotMethod(owner, 'query', (query, patch) => queryOf(query, patch, record)),
            patchHotMethod(owner, 'execute', (execute, patch) => executeOf(execute, patch, record)),
          );
        }
        return namespace;
      };
    }),
  ]);
}

type Method<This> = (this: This, ...args: unknown[]) => unknown;
/** Starts recording a query that has no connection yet. */
type Record<This> = (pool: This, operation: PendingOperation, args: unknown[]) => void;

function queryOf<This>(
  original: Method<This>,
  patch: PatchState,
  record: Record<This>,
): Method<This> {
  return function query(...args) {
    if (patch.isUndone) return original.apply(this, args);
    const operation = new PendingOperation('MYSQL_POOL_QUERY');
    record(this, operation, args);
    const outer = querying.enter(operation);
    const outerMaking = making.enter(operation);
    try {
      return callDirectly(original, this, args);
    } catch (error) {
      operation.settle(error);
      operation.end();
      throw error;
    } finally {
      querying.leave(outer);
      making.leave(outerMaking);
    }
  };
}

function executeOf<This>(
  original: Method<This>,
  patch: PatchState,
  record: Record<This>,
): Method<This> {
  return function execute(...args) {
    if (patch.isUndone) return original.apply(this, args);
    const operation = new PendingOperation('MYSQL_POOL_EXECUTE');
    record(this, operation, args);
    const index = typeof args[1] === 'function' ? 1 : 2;
    const callback = args[index];
    if (typeof callback === 'function') {
      args[index] = finishing(operation, callback as ResultCallback);
    }
    const outer = querying.enter(operation);
    try {
      return callDirectly(original, this, args);
    } catch (error) {
      operation.settle(error);
      operation.end();
      throw error;
    } finally {
      querying.leave(outer);
    }
  };
}

/**
 * The libraries capture a stack trace in there, for which a call by `apply` costs a microsecond
 * more.
 */
function callDirectly<This>(original: Method<This>, pool: This, args: unknown[]): unknown {
  if (args.length === 2) return original.call(pool, args[0], args[1]);
  if (args.length === 3) return original.call(pool, args[0], args[1], args[2]);
  return original.apply(pool, args);
}

function getConnectionOf(
  original: Pool['getConnection'],
  patch: PatchState,
  driver: Driver,
  recorder: Recorder,
): (this: Pool, callback?: unknown) => unknown {
  return function getConnection(callback) {
    const operation = querying.take();
    if (patch.isUndone || typeof callback !== 'function') return original.call(this, callback);
    // A callback that has waited was bound before.
    const isBound = queuedCallbacks.has(callback);
    const isFree = this._freeConnections?.length !== 0;
    const isOpening = !isBound && !isFree && mayOpen(this);
    let told = callback as ResultCallback;
    if (!isBound) {
      const served = measureWait(this, isOpening, operation, driver, recorder);
      told = operation ? forQuery(operation, told, served) : forUser(told, served);
      if (!isFree) queuedCallbacks.add(told);
      asksFor(this, told);
    }
    // The socket outlives the call that opened it.
    if (isOpening) {
      const result = runInRoot(original, this, told);
      opensFor(lastOf(this._allConnections), told);
      return result;
    }
    // If none is free, nothing is requested, and listeners are notified that a call waits.
    const outer = acquiring.enter(isFree || undefined);
    try {
      return original.call(this, told);
    } finally {
      acquiring.leave(outer);
    }
  };
}

/** Called with the result before the waiting caller is. */
type Served = (error: unknown, connection: unknown) => void;

/**
 * The callback with which a pool continues its own query, once there is a connection. A single
 * function, because it is in the stack trace that is captured for the query.
 */
function forQuery(
  operation: PendingOperation,
  callback: ResultCallback,
  served: Served | undefined,
): ResultCallback {
  return function poolConnectionCallback(this: unknown, ...args) {
    served?.(args[0], args[1]);
    const outer = executing.enter(operation);
    try {
      return operation.run(callback, this, ...args);
    } finally {
      executing.leave(outer);
    }
  };
}

function forUser(callback: ResultCallback, served: Served | undefined): ResultCallback {
  const bound = bindCallback('MYSQL_POOL_CONNECTION', callback);
  if (!served) return bound;
  return function measuredCallback(this: unknown, ...args) {
    served(args[0], args[1]);
    return bound.apply(this, args);
  };
}

function mayOpen({ config, _allConnections }: Pool): boolean {
  const limit = config.connectionLimit ?? 0;
  return limit === 0 || (_allConnections?.length ?? 0) < limit;
}

/** Measures a wait, if it is observed. */
function measureWait(
  pool: Pool,
  isOpening: boolean,
  operation: PendingOperation | undefined,
  driver: Driver,
  recorder: Recorder,
): Served | undefined {
  const { pools } = recorder;
  const wait = PoolWait.start(
    recorder,
    pool,
    endpointOfPool,
    operation?.recording?.isRecording ? operation : undefined,
  );
  if (!wait) return undefined;
  const openedAt = isOpening ? performance.now() : undefined;
  return function served(error, connection) {
    if (error) {
      if (pools.isListening) pools.watch(pool, endpointOfPool(pool), readPool);
      wait.fail(error, isTimeout(error));
      return;
    }
    if (pools.isListening) {
      const now = performance.now();
      pools.watch(pool, driver.endpointOf(connection as PooledConnection), readPool);
      if (openedAt !== undefined) pools.created(pool, now - openedAt);
      pools.took(connection as PooledConnection, now);
    }
    wait.end();
  };
}

const TIMEOUTS = new Set<unknown>(['ETIMEDOUT', 'PROTOCOL_SEQUENCE_TIMEOUT']);

function isTimeout(error: unknown): boolean {
  return TIMEOUTS.has((error as { code?: unknown }).code);
}

function endpointOfPool({ config }: Pool): Endpoint {
  return config.connectionConfig ? plannedEndpoint(config.connectionConfig) : ANY_ENDPOINT;
}

function readPool({ config, ...pool }: Pool): PoolReading {
  const idle = pool._freeConnections?.length ?? 0;
  return {
    used: (pool._allConnections?.length ?? 0) - idle,
    idle,
    pending: pool._connectionQueue?.length ?? 0,
    max: config.connectionLimit || undefined,
    idleMax: config.maxIdle,
  };
}

function endOf<This>(
  original: (this: This, callback?: unknown) => unknown,
): (this: This, callback?: unknown) => unknown {
  return function end(callback) {
    if (typeof callback !== 'function') return original.call(this, callback);
    return original.call(this, bindCallback('MYSQL_POOL_END', callback as () => void));
  };
}

/** Returns text and values as given, if they can be read without running the user's code. */
function statementOf([sql, values]: unknown[]): [text: unknown, values: unknown] {
  if (typeof sql !== 'object' || sql === null) return [sql, values];
  const given = typeof values === 'function' ? undefined : values;
  return [plainProperty(sql, 'sql'), given ?? plainProperty(sql, 'values')];
}
