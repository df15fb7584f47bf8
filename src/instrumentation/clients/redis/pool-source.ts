import { messageOf } from '../../../base/errors.ts';
import { OperationResource } from '../../../carry/operation-resource.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { patchListeners } from '../../listeners.ts';
import { handOn } from './call-scopes.ts';
import { endpointOf } from './attributes.ts';
import type { ClassOf, RedisPool } from './library-types.ts';

/**
 * Patches the class of pools. A task that had to wait for a client is started by the call that
 * returned one. It runs in the context of the call that requested it, and the wait is attributed to
 * the first command it sends.
 */
export function patchPool({ prototype }: ClassOf<RedisPool>, recorder: Recorder): Undo | undefined {
  const release = reservePatch(prototype, 'redis pool');
  if (!release) return undefined;
  return undoAll([
    release,
    patchListeners(prototype),
    patchMethod(prototype, 'execute', (original) => executeOf(original, recorder)),
  ]);
}

function executeOf(original: RedisPool['execute'], recorder: Recorder): RedisPool['execute'] {
  return function execute(this: RedisPool, task) {
    if (typeof task !== 'function') return original.call(this, task);
    const pool = this._self ?? this;
    const resource = new OperationResource('REDIS_POOL');
    const askedAt = performance.now();
    let takenAt: number | undefined;
    let isWaiting = false;
    const result = original.call(this, (client) => {
      takenAt = performance.now();
      const waited = takenAt - askedAt;
      if (recorder.pools.isListening) {
        recorder.pools.watch(pool, endpointOf(client), readPool);
        recorder.pools.waited(pool, waited);
      }
      try {
        const call = { askedAt: isWaiting ? askedAt : undefined, waited };
        return resource.run(() => handOn(call, () => task(client)), undefined);
      } finally {
        resource.end();
      }
    });
    isWaiting = takenAt === undefined;
    if (!(result instanceof Promise) || (!isWaiting && !recorder.pools.isListening)) return result;
    const over = (): void => {
      resource.end();
      if (takenAt !== undefined) recorder.pools.used(pool, performance.now() - takenAt);
    };
    return result.then(
      (value: unknown) => {
        over();
        return value;
      },
      (error: unknown) => {
        over();
        if (takenAt === undefined && messageOf(error).startsWith('Timeout waiting')) {
          recorder.pools.timedOut(pool);
        }
        throw error;
      },
    );
  };
}

function readPool({ clientsInUse, idleClients, tasksQueueLength }: RedisPool): PoolReading {
  return { used: clientsInUse, idle: idleClients, pending: tasksQueueLength };
}
