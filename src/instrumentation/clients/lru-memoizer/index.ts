import type { ClientDefinition } from '../../client.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { byClass } from '../../operation.ts';
import { reservePatch, replaceFunction, undoAll, type Undo } from '../../../base/patch.ts';
import { bindCallback } from '../../pending-operation.ts';

/**
 * `lru-memoizer`: concurrent loads of one key share one result, with each callback in the context
 * of its own caller. It makes no spans.
 */
export const lruMemoizer: ClientDefinition = {
  name: 'lru-memoizer',
  responses: { describeError: byClass },
  modules: [{ module: 'lru-memoizer/lib/async', versions: '>=3.0.0 <4', patch: patchModule }],
};

type Memoized = (this: unknown, ...args: unknown[]) => unknown;

interface AsyncModule {
  asyncMemoizer: (options: { disable?: boolean }) => Memoized;
}

function patchModule(exports: ModuleExports): Undo | undefined {
  const module = exports as AsyncModule;
  if (typeof module.asyncMemoizer !== 'function') return undefined;
  const release = reservePatch(module, 'lru-memoizer');
  if (!release) return undefined;
  // The package keeps the function that it finds here on its first load.
  const original = module.asyncMemoizer;
  const { replacement, undo } = replaceFunction(original, (make) => (options) => {
    const memoized = make(options);
    // When switched off, it is the application's own function.
    return options?.disable === true ? memoized : keepingCallers(memoized);
  });
  module.asyncMemoizer = replacement;
  const restore = (): void => {
    if (module.asyncMemoizer === replacement) module.asyncMemoizer = original;
  };
  return undoAll([release, undo, restore]);
}

function keepingCallers(memoized: Memoized): Memoized {
  const keeping: Memoized = function (this: unknown, ...args) {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return memoized.apply(this, args);
    const bound = bindCallback('LRU_MEMOIZER', callback as Memoized);
    return memoized.call(this, ...args.slice(0, -1), bound);
  };
  return Object.assign(keeping, memoized);
}
