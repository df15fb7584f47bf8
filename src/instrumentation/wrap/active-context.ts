import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks';
import { types } from 'node:util';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { TracerState } from '../../async/collecting.ts';
import { frameAccess, LinkedFrame } from '../../async/context-frame.ts';
import { hasAsyncContextFrame } from '../../async/runtime.ts';

/*
 * Whether any context is active, whoever keeps it: our manager, OpenTelemetry's, the application's
 * own AsyncLocalStorage. Node writes the stores on each new AsyncResource under symbols: one per
 * store, or the async context frame (a Map) as a whole. That is not public structure, so a
 * self-test decides whether it is read at all; without it every context counts as active.
 */

function storesOf(resource: AsyncResource): [symbol, unknown][] {
  return Object.getOwnPropertySymbols(resource)
    .map((key): [symbol, unknown] => [key, valueAt(resource, key)])
    .filter(([key, value]) => isStore(key, value));
}

const valueAt = (resource: object, key: symbol): unknown =>
  (resource as Record<symbol, unknown>)[key];

/** The ids are numbers, and `destroyed` is Node's note for the garbage collector. */
const isStore = (key: symbol, value: unknown): boolean =>
  typeof value !== 'number' && key.description !== 'destroyed';

const isEmpty = (store: unknown): boolean =>
  store === undefined || store === ROOT_CONTEXT || store instanceof TracerState;

const frameKey: symbol | undefined = hasAsyncContextFrame
  ? Object.getOwnPropertySymbols(new AsyncResource('PROBE')).find(
      (key) => key.description === 'context_frame',
    )
  : undefined;

function readCarriesContext(resource: object): boolean {
  if (frameKey !== undefined && !isEmptyFrame(valueAt(resource, frameKey))) return true;
  // Also where Node has frames: a store of ours may keep its contexts on async resources there.
  for (const key of Object.getOwnPropertySymbols(resource)) {
    if (key === frameKey) continue;
    const value = valueAt(resource, key);
    if (!isEmpty(value) && isStore(key, value)) return true;
  }
  return false;
}

function isEmptyFrame(frame: unknown): boolean {
  if (frame instanceof LinkedFrame) return isEmpty(frame.value) && isEmptyFrame(frame.base);
  // Node's frame is a Map without Map's prototype; another manager's may be anything.
  if (!types.isMap(frame)) return isEmpty(frame);
  for (const value of Map.prototype.values.call(frame)) if (!isEmpty(value)) return false;
  return true;
}

function selfTest(): boolean {
  const probe = new AsyncLocalStorage<object>();
  try {
    const inside = probe.run({}, () => new AsyncResource('PROBE'));
    // Under no value of its own: leaving `run` may leave an empty entry behind.
    const outside = probe.run(undefined as never, () => emptied(new AsyncResource('PROBE')));
    return readCarriesContext(inside) && !readCarriesContext(outside);
  } finally {
    probe.disable();
  }
}

/** Takes all stores from an async resource of ours, so that what runs in it runs in the root. */
function emptied(resource: AsyncResource): AsyncResource {
  for (const [key] of storesOf(resource)) {
    (resource as unknown as Record<symbol, unknown>)[key] = undefined;
  }
  return resource;
}

const isReadable = selfTest();

/** Whether `resource` was made while a context was active. */
export function carriesContext(resource: AsyncResource): boolean {
  return !isReadable || readCarriesContext(resource);
}

/** Whether a context is active right here. */
export function isContextActive(): boolean {
  if (!isReadable || context.active() !== ROOT_CONTEXT) return true;
  // Node's own resources have other symbols too, so a new one of ours is looked at.
  const probe = new AsyncResource('clew.probe', { requireManualDestroy: true });
  probe.emitDestroy();
  return readCarriesContext(probe);
}

/**
 * Whether surely no context is active right here, which costs less than to look at a new resource:
 * most listeners that Node adds to its own messages are added in none.
 */
export function isSurelyOutside(): boolean {
  if (!isReadable || context.active() !== ROOT_CONTEXT) return false;
  if (hasAsyncContextFrame) return frameAccess !== undefined && isEmptyFrame(frameAccess.current());
  // What a new resource gets is copied from this one.
  return !readCarriesContext(executionAsyncResource());
}
