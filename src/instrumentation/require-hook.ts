import Module, { isBuiltin } from 'node:module';

import { messageOf } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { isMainFile } from './imports/package-main.ts';
import { packageOf, pathInPackage } from './imports/wanted-modules.ts';
import type { ModuleExports } from './module-exports.ts';
import { patchHotMethod, undoAll, type Undo } from '../base/patch.ts';

/*
 * Tells of modules when they are required for the first time: built-in ones, and files of packages.
 *
 * What `require` returns is looked for among the modules that Node holds, after the fact. So it
 * costs a module one look-up, Node resolves each name as often as without us, and what is no module
 * of Node's is returned as it came: what `mock-require`, `mockery` or `require.cache` put in the
 * place of one.
 */

/** Called with each module once; returns what is to be handed out in its place. */
export type OnRequired = (required: Required) => ModuleExports;

export interface Required {
  exports: ModuleExports;
  /** The package, a file inside it as `package/path`, or a built-in module without `node:`. */
  name: string;
  /** The folder of the package; none for a built-in module. */
  baseDir: string | undefined;
  /** Takes back what was handed out. */
  takeBack: Undo;
}

type Require = (this: unknown, id: string) => ModuleExports;
interface Parent {
  children?: NodeJS.Module[];
}

/** Watches `require` and `process.getBuiltinModule` until the undo is called. */
export function hookRequire(onRequired: OnRequired): Undo {
  const seen = new SeenModules(onRequired);
  const plain = process.getBuiltinModule.bind(process) as (id: string) => ModuleExports;
  const prototype = Module.prototype as unknown as { require: Require };
  const undos = [
    patchHotMethod(prototype, 'require', (original, patch) => {
      return function require(this: unknown, ...args) {
        const exports: ModuleExports = original.apply(this as never, args);
        if (patch.isUndone) return exports;
        return seen.handOut(exports, () =>
          seen.required(this as Parent | undefined, args[0], exports, plain),
        );
      };
    }),
    patchHotMethod(
      process as { getBuiltinModule: Require },
      'getBuiltinModule',
      (original, patch) => {
        return function getBuiltinModule(...args) {
          const exports: ModuleExports = original.apply(this as never, args);
          if (patch.isUndone) return exports;
          return seen.handOut(exports, () => seen.builtin(args[0], exports, plain));
        };
      },
    ),
  ];
  return undoAll(undos);
}

class SeenModules {
  readonly #onRequired: OnRequired;
  /** What each caller got for each of its names: the way without a look-up. */
  readonly #known = new WeakMap<object, Map<string, { exports: ModuleExports; of: object }>>();
  readonly #reported = new WeakSet();
  /** By module, or by the exports of a built-in one. */
  readonly #replacements = new WeakMap<object, ModuleExports>();

  constructor(onRequired: OnRequired) {
    this.#onRequired = onRequired;
  }

  /** `exports`, or what is handed out for the module that `find` finds; never throws. */
  handOut(exports: ModuleExports, find: () => object | undefined): ModuleExports {
    if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null)
      return exports;
    try {
      const module = find();
      return (module && this.#replacements.get(module)) ?? exports;
    } catch (error) {
      sayOnce('error', 'require-hook', `a module cannot be instrumented: ${messageOf(error)}`);
      return exports;
    }
  }

  required(
    parent: Parent | undefined,
    id: string,
    exports: ModuleExports,
    plain: (id: string) => ModuleExports,
  ): object | undefined {
    if (isBuiltin(id)) return this.builtin(id, exports, plain);
    if (!Array.isArray(parent?.children)) return undefined;
    const names = this.#known.get(parent) ?? new Map<string, { exports: unknown; of: object }>();
    this.#known.set(parent, names);
    const known = names.get(id);
    if (known !== undefined && known.exports === exports) return known.of;
    const module = parent.children.findLast((child) => holds(child, exports));
    // A part of a circle is not whole yet; what is no module is a mock.
    if (!module?.loaded) return undefined;
    names.set(id, { exports, of: module });
    if (this.#reported.has(module)) return module;
    this.#reported.add(module);
    const place = this.#placeOf(module.filename);
    if (place) this.#report(module, exports, place.name, place.baseDir);
    return module;
  }

  builtin(
    id: string,
    exports: ModuleExports,
    plain: (id: string) => ModuleExports,
  ): object | undefined {
    if (this.#reported.has(exports as object)) return exports as object;
    if (!isBuiltin(id) || plain(id) !== exports) return undefined;
    this.#reported.add(exports as object);
    const bare = id.replace(/^node:/, '');
    this.#report(exports as object, exports, isBuiltin(bare) ? bare : id, undefined);
    return exports as object;
  }

  #report(of: object, exports: ModuleExports, name: string, baseDir: string | undefined): void {
    const takeBack = (): void => void this.#replacements.delete(of);
    const replacement = this.#onRequired({ exports, name, baseDir, takeBack });
    if (replacement !== exports) this.#replacements.set(of, replacement);
  }

  #placeOf(filename: string | null): { name: string; baseDir: string } | undefined {
    const path = filename?.replaceAll('\\', '/');
    const inside = path && pathInPackage(path);
    if (!path || !inside) return undefined;
    const name = packageOf(inside);
    const baseDir = path.slice(0, path.length - inside.length + name.length);
    const isMain = isMainFile(baseDir, inside.slice(name.length + 1));
    return { name: isMain ? name : inside, baseDir };
  }
}

/** Whether these are the exports of a module, or what another hook noted on it as handed out. */
function holds(module: NodeJS.Module, exports: ModuleExports): boolean {
  if (module.exports === exports) return true;
  const noted = module as unknown as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(module).some((symbol) => noted[symbol] === exports);
}
