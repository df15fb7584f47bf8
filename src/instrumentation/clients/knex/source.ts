import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { claim, ownerOf, patchMethod, undoAll, type Undo } from '../../patch.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import { PoolWait } from '../../recorder/pool-wait.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { suppressed } from '../../recorder/suppression.ts';
import { createEndpoint } from '../../recorder/endpoint.ts';
import { runInRoot } from '../../root.ts';
import { endpointOf } from './describe.ts';
import type { KnexClient, TarnPool } from './shapes.ts';

/*
 * Builders keep their callers by themselves, and the driver records the query: what is left is the
 * pool. `endpoints` is written when a client of knex makes its pool; `underway` holds what a pool
 * has begun, by the id that the pool gives it, until the pool says how it ended. Both live as long
 * as their pool.
 */
const endpoints = new WeakMap<TarnPool, Endpoint>();
const underway = new WeakMap<TarnPool, Map<unknown, PoolWait | number>>();
const takenAt = new WeakMap<object, number>();
const UNKNOWN = createEndpoint({ system: 'other_sql' });

/** Patches the base class of clients, which make the pools and check new connections. */
export function patchClient(Client: { prototype: KnexClient }): Undo | undefined {
  const release = claim(Client.prototype, 'knex client');
  if (!release) return undefined;
  const undos: (Undo | undefined)[] = [];
  return undoAll([
    release,
    () => undoAll(undos)(),
    patchMethod(Client.prototype, 'initializePool', (original) => {
      return function initializePool(...args) {
        const result = original.apply(this, args);
        if (this.pool) endpoints.set(this.pool, endpointOf(this));
        undos.push(patchCheck(ownerOf(this, 'checkVersion') as KnexClient | undefined));
        return result;
      };
    }),
  ]);
}

/** What a new connection is asked for knex's own sake is no query of anybody's. */
function patchCheck(owner: KnexClient | undefined): Undo | undefined {
  const release = owner && claim(owner, 'knex check');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(owner, 'checkVersion', (original) => {
      return function checkVersion(...args) {
        return context.with(suppressed(ROOT_CONTEXT), () => original.apply(this, args));
      };
    }),
  ]);
}

/** Patches a class of pools: their connections are nobody's, and their events are measured. */
export function patchPool(Pool: { prototype: TarnPool }, recorder: Recorder): Undo | undefined {
  const release = claim(Pool.prototype, 'tarn pool');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(Pool.prototype, '_create', (original) => {
      return function _create() {
        return runInRoot(original, this);
      };
    }),
    patchMethod(Pool.prototype, '_executeEventHandlers', (original) => {
      return function _executeEventHandlers(event, id, subject) {
        measure(this, event, id, subject, recorder);
        return original.call(this, event, id, subject);
      };
    }),
  ]);
}

function measure(
  pool: TarnPool,
  event: string,
  id: unknown,
  subject: unknown,
  recorder: Recorder,
): void {
  const { pools } = recorder;
  if (!pools.isListening && !recorder.config.acquireSpans) return;
  let begun = underway.get(pool);
  if (!begun) {
    underway.set(pool, (begun = new Map()));
    pools.watch(pool, endpoints.get(pool) ?? UNKNOWN, readPool);
  }
  const started = begun.get(id);
  const now = performance.now();
  switch (event) {
    case 'acquireRequest': {
      const wait = PoolWait.start(
        recorder,
        pool,
        (one) => endpoints.get(one) ?? UNKNOWN,
        undefined,
      );
      if (wait) begun.set(id, wait);
      return;
    }
    case 'acquireSuccess':
      if (started instanceof PoolWait) started.end();
      if (isObject(subject)) takenAt.set(subject, now);
      break;
    case 'acquireFail':
      if (started instanceof PoolWait) started.fail(subject, isTimeout(subject));
      break;
    case 'createRequest':
      begun.set(id, now);
      return;
    case 'createSuccess':
      if (typeof started === 'number') pools.created(pool, now - started);
      break;
    case 'release': {
      // Of this event the connection comes where others have the id.
      const since = isObject(id) ? takenAt.get(id) : undefined;
      if (since !== undefined) pools.used(pool, now - since);
      return;
    }
    case 'createFail':
      break;
    default:
      return;
  }
  begun.delete(id);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && error.constructor.name === 'TimeoutError';

function readPool(pool: TarnPool): PoolReading {
  return {
    used: pool.numUsed(),
    idle: pool.numFree(),
    pending: pool.numPendingAcquires(),
    max: pool.max,
    idleMin: pool.min,
  };
}
