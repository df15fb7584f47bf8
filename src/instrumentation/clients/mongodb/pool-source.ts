import { claim, patchMethod, undoAll, type Undo } from '../../patch.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../root.ts';
import { bindCallback } from '../../running-operation.ts';
import { endpointAt } from './describe.ts';
import type { ClassOf, MongoConnection, MongoPool } from './shapes.ts';

/*
 * How long connections are waited for and kept. Both tables are written when a connection is
 * checked out; an entry of `waits` is taken by the first command after that, one of `takenAt` when
 * the connection is checked in.
 */
const waits = new WeakMap<MongoConnection, number>();
const takenAt = new WeakMap<MongoConnection, number>();

/** How long the command that `connection` was checked out for waited for it. */
export function takeWait(connection: MongoConnection): number | undefined {
  const wait = waits.get(connection);
  waits.delete(connection);
  return wait;
}

/** Patches the class of pools: their metrics, and connections that belong to no request. */
export function patchPool({ prototype }: ClassOf<MongoPool>, recorder: Recorder): Undo | undefined {
  const release = claim(prototype, 'mongodb pool');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'createConnection', (original) => {
      return function createConnection(callback) {
        return runInRoot(original, this, bindCallback('MONGODB_CONNECT', callback));
      };
    }),
    patchMethod(prototype, 'checkOut', (original) => checkOutOf(original, recorder)),
    patchMethod(prototype, 'checkIn', (original) => {
      return function checkIn(connection) {
        const since = takenAt.get(connection);
        if (since !== undefined) {
          takenAt.delete(connection);
          recorder.pools.used(this, performance.now() - since);
        }
        return original.call(this, connection);
      };
    }),
  ]);
}

function checkOutOf(original: MongoPool['checkOut'], recorder: Recorder): MongoPool['checkOut'] {
  return function checkOut(this: MongoPool, ...args) {
    const { pools } = recorder;
    if (pools.isListening) pools.watch(this, endpointAt(this.address), readPool);
    const startedAt = performance.now();
    const checkedOut = (connection: MongoConnection): void => {
      const now = performance.now();
      waits.set(connection, now - startedAt);
      if (!pools.isListening) return;
      takenAt.set(connection, now);
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
    return (original.apply(this, args) as Promise<MongoConnection>).then(
      (connection) => {
        checkedOut(connection);
        return connection;
      },
      (error: unknown) => {
        failed(error);
        throw error;
      },
    );
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
