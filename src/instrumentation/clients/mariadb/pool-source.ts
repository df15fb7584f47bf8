import { CallScope } from '../../../carry/call-scope.ts';
import { callerHere, patchCallersEvents } from '../../callers-events.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import { PoolWait } from '../../recorder/pool-wait.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { bindCallback, PendingOperation } from '../../pending-operation.ts';
import { tryWrap } from '../../wrap.ts';
import { belongsTo, ownQuestion, reserve, selecting } from './call-scopes.ts';
import { describeStatement, endpointOf, plannedEndpoint } from './attributes.ts';
import { recordThrownBy } from './user-connection-source.ts';
import type {
  CommandParameter,
  Connection,
  Pool,
  PoolCallback,
  UserPool,
} from './library-types.ts';

/*
 * Records one operation for a query of a pool, from the call through the wait for a connection to
 * the result. `opening` is the pool that is opening a connection, while that call is on the stack.
 */
const knownConnections = new WeakSet<Connection>();
const opening = new CallScope<Pool>();
/**
 * The waiting calls in the order of the pool's own queue, and the one that is just being given a
 * connection.
 */
const requests = new WeakMap<Pool, Request[]>();
const serving = new CallScope<OperationResource>();

const TYPE = 'MARIADB_POOL_CONNECTION';
/** The library's own code for a timeout of the wait. */
const WAITED_TOO_LONG = 'ER_GET_CONNECTION_TIMEOUT';

/** Patches the class of the internal pools behind the user's pools. */
export function patchPool(prototype: Pool, recorder: Recorder): Undo | undefined {
  const release = reservePatch(prototype, 'mariadb pool');
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
    patchMethod(prototype, '_processNextPendingRequest', (original) => {
      return function _processNextPendingRequest() {
        const before = this.taskQueueSize();
        const queue = requests.get(this);
        const outer = serving.enter(queue?.[0]?.caller);
        try {
          return original.call(this);
        } finally {
          serving.leave(outer);
          if (this.taskQueueSize() < before) queue?.shift();
        }
      };
    }),
  ]);
}

/** Patches a class of the user's pools, whose events belong to no call. */
export function patchUserPool(prototype: UserPool, recorder: Recorder): Undo | undefined {
  const release = reservePatch(prototype, 'mariadb user pool');
  if (!release) return undefined;
  return undoAll([
    release,
    // The pool opens a connection for no caller in particular.
    patchCallersEvents(prototype, (_pool, event) =>
      event === 'acquire' ? serving.current : undefined,
    ),
    tryWrap(prototype, { kind: 'emitter', module: 'mariadb' }),
    recordThrownBy(prototype, ['query', 'execute', 'batch'], recorder),
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
  const pool = opening.current;
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
    return opening.run(this, () => runInRoot(original, this, ...args));
  };
}

function getConnectionOf(
  original: Pool['getConnection'],
  patch: PatchState,
  recorder: Recorder,
): Pool['getConnection'] {
  return function getConnection(this: Pool, cmdParam, callback) {
    if (patch.isUndone) return original.call(this, cmdParam, callback);
    const request = new Request(this, cmdParam, recorder);
    const outer = selecting.enter(undefined);
    const before = this.taskQueueSize();
    request.isOnStack = true;
    try {
      if (typeof callback === 'function') {
        return original.call(this, cmdParam, answering(request, callback));
      }
      const promise = original.call(this, cmdParam);
      // The library's own promise, from which it derives the one it returns to the user.
      promise?.then(
        (connection) => request.got(connection),
        (error: unknown) => {
          request.failed(error);
          request.operation?.end();
        },
      );
      return promise;
    } finally {
      request.isOnStack = false;
      selecting.leave(outer);
      if (this._processNextPendingRequest && this.taskQueueSize() > before) request.waits();
    }
  };
}

/**
 * Binds `callback` to its caller's context: the user's callback, or the one with which a pool
 * continues its query.
 */
function answering(request: Request, callback: PoolCallback): PoolCallback {
  const { operation } = request;
  const told = operation ? callback : bindCallback(TYPE, callback);
  return function answeredCallback(error, connection) {
    if (connection) request.got(connection);
    else request.failed(error);
    if (!operation) return told(error, connection);
    // A pool that has a connection calls back before `getConnection` returns, in its caller's
    // context.
    if (connection && request.isOnStack) return operation.runHere(() => told(error, connection));
    try {
      return operation.run(told, undefined, error, connection);
    } finally {
      if (!connection) operation.end();
    }
  };
}

/** How to handle a requested connection. */
class Request {
  readonly operation: PendingOperation | undefined;
  /** Whether the requesting call is on the stack. */
  isOnStack = false;
  readonly #pool: Pool;
  readonly #recorder: Recorder;
  readonly #selecting = selecting.current;
  readonly #wait: PoolWait | undefined;

  constructor(pool: Pool, cmdParam: CommandParameter, recorder: Recorder) {
    this.#pool = pool;
    this.#recorder = recorder;
    if (cmdParam?.sql && typeof cmdParam.sql === 'string') {
      this.operation = new PendingOperation('MARIADB_POOL_QUERY');
      belongsTo(cmdParam, this.operation);
      if (recorder.isListening) {
        const endpoint = plannedEndpoint(pool.opts.connOptions);
        this.operation.record(recorder, describeStatement(endpoint, cmdParam));
      }
    }
    const waiting = this.operation ?? this.#selecting;
    const recorded = waiting?.recording?.isRecording ? waiting : undefined;
    this.#wait = PoolWait.start(recorder, pool, endpointOfPool, recorded);
  }

  /** The caller, while it waits. */
  caller: OperationResource | undefined;

  /** Its entry is at the end of the pool's queue. */
  waits(): void {
    this.caller = this.operation ?? callerHere();
    const queue = requests.get(this.#pool);
    if (queue) queue.push(this);
    else requests.set(this.#pool, [this]);
  }

  #waitsNoLonger(): void {
    const queue = requests.get(this.#pool);
    const index = queue?.indexOf(this) ?? -1;
    if (index !== -1) queue!.splice(index, 1);
  }

  got(connection: Connection): void {
    this.#waitsNoLonger();
    releaseQuietly(connection);
    if (this.#selecting) reserve(connection, this.#selecting);
    const { pools } = this.#recorder;
    if (pools.isListening) {
      pools.watch(this.#pool, endpointOf(connection, this.#pool.opts.connOptions), readPool);
      pools.took(connection, performance.now());
    }
    this.#wait?.end();
  }

  failed(error: unknown): void {
    this.#waitsNoLonger();
    this.#wait?.fail(error, (error as { code?: unknown } | undefined)?.code === WAITED_TOO_LONG);
    this.operation?.settle(error);
  }
}

function endpointOfPool({ opts }: Pool): Endpoint {
  return plannedEndpoint(opts.connOptions);
}

/** What the pool sends on a returned connection is not an operation of the user. */
function releaseQuietly(connection: Connection): void {
  const { release } = connection;
  if (typeof release !== 'function' || knownConnections.has(connection)) return;
  knownConnections.add(connection);
  connection.release = (...args) =>
    ownQuestion.run(true, () => Reflect.apply(release, connection, args));
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
