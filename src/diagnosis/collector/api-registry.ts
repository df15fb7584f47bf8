import type { Context } from '@opentelemetry/api';

/** Where every copy of the API keeps what was registered. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** What is registered with the API, whichever copy of it did that. */
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

/** The registry; undefined before anything was registered. */
export function apiRegistry(): ApiRegistry | undefined {
  return (globalThis as Global)[REGISTRY];
}

/** Calls `found` with the registry, now or as soon as there is one. Returns the undo. */
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
 * Calls `found` with a part of the registry, now and whenever another one is registered. Returns the
 * undo.
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

/** Becomes a plain property again when it is written to. */
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
