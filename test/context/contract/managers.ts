import type { ContextManager } from '@opentelemetry/api';
import {
  AsyncHooksContextManager as UpstreamHooksManager,
  AsyncLocalStorageContextManager,
} from '@opentelemetry/context-async-hooks';

import { hasAsyncContextFrame } from '../../../src/async/runtime.ts';
import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import type { StoreName } from '../../../src/context/context-store.ts';

export interface Contestant {
  name: string;
  make: () => ContextManager;
}

export interface OurContestant extends Contestant {
  make: () => AsyncHooksContextManager;
}

/** The stores that can be chosen on this Node. */
export const STORES: readonly StoreName[] = hasAsyncContextFrame
  ? ['frame', 'hook', 'storage']
  : ['hook', 'storage'];

/** Our manager with each store. */
export const ours: readonly OurContestant[] = STORES.map((store) => ({
  name: `AsyncHooksContextManager, ${store} store`,
  make: () => new AsyncHooksContextManager({ store }),
}));

/** OpenTelemetry's manager that is still maintained: what it answers counts as right. */
export const oracle: Contestant = {
  name: "OpenTelemetry's AsyncLocalStorageContextManager",
  make: () => new AsyncLocalStorageContextManager(),
};

/** OpenTelemetry's manager of the same name, which 3.0 removed. */
export const removed: Contestant = {
  name: "OpenTelemetry's AsyncHooksContextManager",
  make: () => new UpstreamHooksManager(),
};
