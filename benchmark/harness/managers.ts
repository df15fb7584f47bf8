import { createRequire } from 'node:module';

import { ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';
import {
  AsyncHooksContextManager as UpstreamHooksManager,
  AsyncLocalStorageContextManager,
} from '@opentelemetry/context-async-hooks';

import { AsyncHooksContextManager } from '../../src/index.ts';
import { canRunSdk3, sdk3Folder } from '../../test/support/sdk-3.ts';

/**
 * - `none`: no context manager.
 * - `clew`: ours, with the store it chooses on this Node.
 * - `clew-add-on`: the same where a native add-on has been loaded.
 * - `clew-public`: ours with the `storage` store, which uses public API only.
 * - `otel-als`: OpenTelemetry's `AsyncLocalStorageContextManager` of 2.12, the baseline.
 * - `otel-als-3`: that of 3.1, on Nodes that run it.
 * - `otel-hooks`: OpenTelemetry's `AsyncHooksContextManager`, which 3.0 removed.
 */
export const MANAGERS: readonly string[] = [
  'none',
  'clew',
  'clew-public',
  'otel-als',
  ...(canRunSdk3() ? ['otel-als-3'] : []),
  'otel-hooks',
];

export type AttachingManager = ContextManager & {
  attach?(context: Context): { dispose(): void };
};

export function makeManager(variant: string): AttachingManager {
  switch (variant) {
    case 'clew':
      return new AsyncHooksContextManager().enable();
    case 'clew-add-on':
      createRequire(import.meta.url)('bcrypt');
      return new AsyncHooksContextManager().enable();
    case 'clew-public':
      return new AsyncHooksContextManager({ store: 'storage' }).enable();
    case 'otel-als':
      return new AsyncLocalStorageContextManager().enable();
    case 'otel-als-3': {
      const load = createRequire(`${sdk3Folder()}/index.js`);
      const { AsyncLocalStorageContextManager: Manager } = load(
        '@opentelemetry/context-async-hooks',
      ) as { AsyncLocalStorageContextManager: new () => AttachingManager };
      return new Manager().enable();
    }
    case 'otel-hooks':
      return new UpstreamHooksManager().enable();
    default:
      return new NoManager();
  }
}

/** What `@opentelemetry/api` does where no manager is registered. */
class NoManager implements ContextManager {
  active(): Context {
    return ROOT_CONTEXT;
  }
  with<Args extends unknown[], Fn extends (...args: Args) => ReturnType<Fn>>(
    _context: Context,
    fn: Fn,
    thisArg?: ThisParameterType<Fn>,
    ...args: Args
  ): ReturnType<Fn> {
    return fn.call(thisArg as ThisParameterType<Fn>, ...args);
  }
  bind<Target>(_context: Context, target: Target): Target {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}
