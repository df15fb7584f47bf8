import type { Context } from '@opentelemetry/api';

/** The property in which every copy of the API keeps its registrations. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** The registrations with the API, by whichever copy of it. */
export interface ApiRegistry {
  /** The version of the copy that registered first. */
  version?: string;
  trace?: unknown;
  context?: { active?(): Context };
  diag?: unknown;
}
type Global = { [REGISTRY]?: ApiRegistry | undefined };
type Found = (registry: ApiRegistry) => void;

const waiting = new Set<Found>();

/** Returns the registry; undefined before the first registration. */
export function apiRegistry(): ApiRegistry | undefined {
  return (globalThis as Global)[REGISTRY];
}

/**
 * Calls `found` with the registry, now or as soon as there is one. Returns a function that stops
 * it.
 */
export function onApiRegistry(found: Found): () => void {
  const registry = apiRegistry();
  if (registry) {
    found(registry);
    return () => undefined;
  }
  if (waiting.size === 0) awaitRegistry();
  waiting.add(found);
  return () => {
    if (waiting.delete(found) && waiting.size === 0) remove();
  };
}

/**
 * Calls `found` with a part of the registry, now and whenever it is replaced. Returns a function
 * that stops it.
 */
export function onRegistered(
  registry: ApiRegistry,
  part: 'trace' | 'context',
  found: (registered: unknown) => void,
): () => void {
  let held: unknown = registry[part];
  found(held);
  Object.defineProperty(registry, part, {
    configurable: true,
    enumerable: true,
    get: () => held,
    set: (next: unknown) => {
      held = next;
      found(next);
    },
  });
  return () => {
    if (!Object.hasOwn(registry, part)) return;
    Reflect.deleteProperty(registry, part);
    if (held !== undefined) (registry as Record<string, unknown>)[part] = held;
  };
}

/** It becomes a plain property again when it is written to. */
function awaitRegistry(): void {
  Object.defineProperty(globalThis, REGISTRY, {
    configurable: true,
    enumerable: true,
    get: () => undefined,
    set: (registry: ApiRegistry) => {
      remove();
      (globalThis as Global)[REGISTRY] = registry;
      const all = [...waiting];
      waiting.clear();
      for (const found of all) found(registry);
    },
  });
}

function remove(): void {
  Reflect.deleteProperty(globalThis, REGISTRY);
}
