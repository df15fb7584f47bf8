import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { bindCallback } from '../../pending-operation.ts';
import { patchConnection } from './command-source.ts';
import { endpointAt } from './attributes.ts';
import { waits } from './waits.ts';
import type { ClassOf, MongoConnection, MongoPool } from './library-types.ts';

/** Patches the class of pools: their metrics, and connections that belong to no request. */
export function patchPool({ prototype }: ClassOf<MongoPool>, recorder: Recorder): Undo | undefined {
  const release = reservePatch(prototype, 'mongodb pool');
  if (!release) return undefined;
  let isAdopted = false;
  /** Patches the class of connections if it was found through its pool and not as a module. */
  const adopt = (connection: MongoConnection): void => {
    if (isAdopted) return;
    isAdopted = true;
    undos.push(patchConnection({ prototype: baseOf(connection) }, recorder));
  };
  const isIdle = (): boolean => isAdopted && !recorder.isListening && !recorder.pools.isListening;
  const undos: (Undo | undefined)[] = [
    release,
    patchMethod(prototype, 'createConnection', (original) => {
      return function createConnection(callback) {
        const told = bindCallback('MONGODB_CONNECT', callback);
        if (!recorder.pools.isListening) return runInRoot(original, this, told);
        watch(this, recorder);
        const startedAt = performance.now();
        return runInRoot(original, this, (...results: unknown[]) => {
          if (results[1]) recorder.pools.created(this, performance.now() - startedAt);
          told(...results);
        });
      };
    }),
    patchHotMethod(prototype, 'checkOut', (original, patch) =>
      checkOutOf(original, patch, recorder, isIdle, adopt),
    ),
    patchHotMethod(prototype, 'checkIn', (original, patch) => {
      return function checkIn(connection) {
        if (!patch.isUndone) recorder.pools.gaveBack(this, connection);
        return original.call(this, connection);
      };
    }),
  ];
  return undoAll(undos);
}

/** Returns the first prototype in the chain that can send a command; later ones encrypt it. */
function baseOf(connection: MongoConnection): MongoConnection {
  let base = connection;
  for (let next = connection; typeof next.command === 'function';) {
    base = next;
    next = Object.getPrototypeOf(next) as MongoConnection;
  }
  return base;
}

function watch(pool: MongoPool, { pools }: Recorder): void {
  pools.watch(pool, endpointAt(pool.address), readPool);
}

function checkOutOf(
  original: MongoPool['checkOut'],
  patch: PatchState,
  recorder: Recorder,
  isIdle: () => boolean,
  adopt: (connection: MongoConnection) => void,
): MongoPool['checkOut'] {
  return function checkOut(this: MongoPool, ...args) {
    if (patch.isUndone) return original.apply(this, args);
    const { pools } = recorder;
    if (pools.isListening) watch(this, recorder);
    const startedAt = performance.now();
    const checkedOut = (connection: MongoConnection): void => {
      adopt(connection);
      if (!recorder.isListening) return;
      const now = performance.now();
      waits.set(connection, now - startedAt);
      if (!pools.isListening) return;
      pools.took(connection, now);
      pools.waited(this, now - startedAt);
    };
    const failed = (error: unknown): void => {
      if (error instanceof Error && error.name === 'MongoWaitQueueTimeoutError') {
        pools.timedOut(this);
      }
    };
    const index = args.findIndex((arg) => typeof arg === 'function');
    if (index !== -1) {
      const callback = args[index] as (error: unknown, connection?: MongoConnection) => void;
      const told = bindCallback(
        'MONGODB_CHECKOUT',
        (error: unknown, connection?: MongoConnection) => {
          if (connection) checkedOut(connection);
          else failed(error);
          callback(error, connection);
        },
      );
      return original.apply(this, args.with(index, told));
    }
    const promise = original.apply(this, args) as Promise<MongoConnection>;
    if (isIdle()) return promise;
    // Only the driver gets this promise, and it handles its rejections.
    promise.then(checkedOut, failed);
    return promise;
  };
}

function readPool(pool: MongoPool): PoolReading {
  return {
    used: pool.currentCheckedOutCount,
    idle: pool.availableConnectionCount,
    pending: pool.waitQueueSize,
    max: pool.options.maxPoolSize,
    idleMin: pool.options.minPoolSize,
  };
}
