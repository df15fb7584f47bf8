import { createRequire } from 'node:module';
import { join } from 'node:path';

import { ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';
import {
  AsyncHooksContextManager as UpstreamHooksManager,
  AsyncLocalStorageContextManager,
} from '@opentelemetry/context-async-hooks';

import { hasAsyncContextFrame } from '../../../src/async/runtime.ts';
import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import type { StoreName } from '../../../src/context/context-store.ts';
import { canRunSdk3, sdk3Folder } from '../../support/sdk-3.ts';

export interface Contestant {
  name: string;
  make: () => ContextManager;
  /** The root context of the api that it uses. */
  root?: () => Context;
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

/** A package of OpenTelemetry JS 3.x, which lives apart from those of 2.x. */
export function requireSdk3(name: string): unknown {
  return createRequire(join(sdk3Folder(), 'index.js'))(name);
}

/** OpenTelemetry's managers: the one of 3.x beside api 1.10, too, where this Node runs it. */
export const oracles: readonly Contestant[] = [
  oracle,
  ...(canRunSdk3()
    ? [
        {
          name: "OpenTelemetry's AsyncLocalStorageContextManager of 3.x",
          make: () => {
            const sdk3 = requireSdk3('@opentelemetry/context-async-hooks');
            return new (sdk3 as Record<string, new () => ContextManager>)[
              'AsyncLocalStorageContextManager'
            ]!();
          },
          root: () =>
            (requireSdk3('@opentelemetry/api') as typeof import('@opentelemetry/api')).ROOT_CONTEXT,
        },
      ]
    : []),
];

/** What is active under `contestant` where no context was activated. */
export const rootOf = (contestant: Contestant): Context => contestant.root?.() ?? ROOT_CONTEXT;
