import { createRequire, isBuiltin, syncBuiltinESMExports } from 'node:module';

import { messageOf } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { patchMethod, undoAll, type Undo } from '../base/patch.ts';

/*
 * A module of Node's own that was loaded before an instrumentation asks for it. The hook on `require`
 * that OpenTelemetry's instrumentations share shows each module once, and `start` has loaded `http`
 * already: an instrumentation that is registered after it would never see it, and silently do
 * nothing.
 */

type OnRequire = (exports: unknown, name: string, baseDir: string | undefined) => unknown;

interface SharedHook {
  register(moduleName: string, onRequire: OnRequire): unknown;
}

const load = createRequire(import.meta.url);

/**
 * Gives the instrumentations that are registered from now on with the shared hooks of
 * `instrumentations` the modules of Node's own that these have not shown them, until the undo.
 */
export function deliverBuiltinsLater(instrumentations: readonly object[]): Undo {
  const hooks = new Set(
    instrumentations.map((one) => (one as Record<string, unknown>)['_requireInTheMiddleSingleton']),
  );
  const undos = [...hooks].filter(isSharedHook).map((hook) =>
    patchMethod(hook, 'register', (original) => {
      return function (this: SharedHook, name, onRequire) {
        if (!isBuiltin(name) || typeof onRequire !== 'function') {
          return original.call(this, name, onRequire);
        }
        let isDelivered = false;
        const deliver: OnRequire = (...args) => {
          isDelivered = true;
          return onRequire(...args);
        };
        // Later, as the instrumentation that asks is still being made.
        queueMicrotask(() => {
          try {
            const exports: unknown = load(name);
            if (!isDelivered) deliver(exports, name, undefined);
            syncBuiltinESMExports();
          } catch (error) {
            const message = `${name} cannot be instrumented: ${messageOf(error)}`;
            sayOnce('warn', `builtin:${name}`, message);
          }
        });
        return original.call(this, name, deliver);
      };
    }),
  );
  return undoAll(undos);
}

function isSharedHook(value: unknown): value is SharedHook {
  return typeof (value as Partial<SharedHook> | undefined)?.register === 'function';
}
