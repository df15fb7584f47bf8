import { CallScope } from '../../../carry/call-scope.ts';
import { bindListener } from '../../bind-listener.ts';
import { callerHere } from '../../callers-events.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import { reservePatch, patchMethod, patchOnce, undoAll, type Undo } from '../../../base/patch.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { isContextActive } from '../../wrap/active-context.ts';

/** The parts of a pool that are used, in all supported versions. */
interface TarnPool {
  readonly max: number;
  readonly min: number;
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
  /** Emits the pool's own events, with or without listeners. */
  _executeEventHandlers(event: string, ...details: unknown[]): void;
  on(event: string, listener: Listener): unknown;
  removeListener(event: string, listener: Listener): unknown;
  /** Calls the application's factory to create a resource. */
  _create(...args: unknown[]): unknown;
}

/**
 * A pool does not know what it holds, so its metrics use the name of the library unless `holds` was
 * called.
 */
const ENDPOINT = createEndpoint({ system: 'tarn' });
/** What pools hold connections to, set by `holds`; an entry is collected with its pool. */
const endpoints = new WeakMap<object, Endpoint>();

/** Names the metrics of `pool` after the target of its connections. */
export function holds(pool: object, endpoint: Endpoint): void {
  endpoints.set(pool, endpoint);
}

/** The pending requests by the pool's number for them, and when resources were taken. */
interface Times {
  acquires: Map<unknown, number>;
  creates: Map<unknown, number>;
  taken: Map<unknown, number>;
}
const times = new WeakMap<TarnPool, Times>();

/**
 * The caller that needs the resource being created: while that call is on the stack, and until its
 * end.
 */
const creating = new CallScope<OperationResource>();
const creators = new WeakMap<TarnPool, Map<unknown, OperationResource>>();

/** Exported by the package: in a bundle it may have any name. */
type ErrorClass = new () => Error;

type Listener = (...details: unknown[]) => void;

/*
 * The wrappers that were registered in place of listeners: the pool calls the listener that a
 * wrapper refers to, so they cannot refer to it. An entry is removed with its listener.
 */
const registered = new WeakMap<Listener, { pool: TarnPool; event: string; bound: Listener }[]>();

export function patchPool(
  { prototype }: { prototype: TarnPool },
  TimeoutError: ErrorClass,
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'tarn metrics');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'on', (original) => {
      return function on(event, listener) {
        // A listener that was registered outside of every request runs in the context of the
        // emitting call.
        const bound = isContextActive() ? bindListener('TARN_LISTENER', listener) : listener;
        const list = registered.get(listener) ?? [];
        registered.set(listener, list);
        list.push({ pool: this, event, bound });
        return original.call(this, event, bound);
      };
    }),
    patchMethod(prototype, 'removeListener', (original) => {
      return function removeListener(event, listener) {
        const list = registered.get(listener) ?? [];
        const at = list.findLastIndex((one) => one.pool === this && one.event === event);
        const [found] = at === -1 ? [] : list.splice(at, 1);
        return original.call(this, event, found?.bound ?? listener);
      };
    }),
    patchOnce(prototype, '_create', 'root', (original) => {
      return function _create(...args) {
        const outer = creating.enter(callerHere());
        try {
          return runInRoot(original, this, ...args);
        } finally {
          creating.leave(outer);
        }
      };
    }),
    patchMethod(prototype, '_executeEventHandlers', (original) => {
      return function _executeEventHandlers(event, ...details) {
        if (recorder.pools.isListening) note(this, event, details, TimeoutError, recorder);
        const creator = creatorOf(this, event, details[0]);
        if (creator) creator.run(original, this, event, ...details);
        else original.call(this, event, ...details);
      };
    }),
  ]);
}

/**
 * Returns the caller that needs the resource that `event` is about, if it is a new one: by the
 * pool's number for it.
 */
function creatorOf(pool: TarnPool, event: string, id: unknown): OperationResource | undefined {
  if (!event.startsWith('create')) return undefined;
  const known = creators.get(pool) ?? new Map<unknown, OperationResource>();
  if (event !== 'createRequest') {
    const creator = known.get(id);
    known.delete(id);
    return creator;
  }
  const caller = creating.current;
  if (caller) creators.set(pool, known.set(id, caller));
  return caller;
}

function note(
  pool: TarnPool,
  event: string,
  details: unknown[],
  TimeoutError: ErrorClass,
  { pools }: Recorder,
): void {
  const { acquires, creates, taken } = timesOf(pool);
  const [first, second] = details;
  const now = performance.now();
  const since = (table: Map<unknown, number>, key: unknown): number | undefined => {
    const start = table.get(key);
    table.delete(key);
    return start === undefined ? undefined : now - start;
  };
  switch (event) {
    case 'acquireRequest':
      pools.watch(pool, endpoints.get(pool) ?? ENDPOINT, readPool);
      acquires.set(first, now);
      break;
    case 'acquireSuccess': {
      const waited = since(acquires, first);
      if (waited !== undefined) pools.waited(pool, waited);
      taken.set(second, now);
      break;
    }
    case 'acquireFail':
      if (since(acquires, first) !== undefined && second instanceof TimeoutError) {
        pools.timedOut(pool);
      }
      break;
    case 'createRequest':
      creates.set(first, now);
      break;
    case 'createSuccess': {
      const took = since(creates, first);
      if (took !== undefined) pools.created(pool, took);
      break;
    }
    case 'createFail':
      creates.delete(first);
      break;
    case 'release': {
      const used = since(taken, first);
      if (used !== undefined) pools.used(pool, used);
      break;
    }
    // A resource that was never returned.
    case 'destroyRequest':
      taken.delete(second);
      break;
  }
}

function timesOf(pool: TarnPool): Times {
  const known = times.get(pool);
  if (known) return known;
  const created: Times = { acquires: new Map(), creates: new Map(), taken: new Map() };
  times.set(pool, created);
  return created;
}

function readPool(pool: TarnPool): PoolReading {
  return {
    used: pool.numUsed(),
    idle: pool.numFree(),
    pending: pool.numPendingAcquires(),
    max: pool.max,
    idleMin: pool.min,
  };
}
