import type {
  LoadFnOutput,
  LoadHookContext,
  ResolveFnOutput,
  ResolveHookContext,
} from 'node:module';
import { fileURLToPath } from 'node:url';

import { isMainFile } from './package-main.ts';
import { isWanted, packageOf, pathInPackage, type NameTable } from './wanted-modules.ts';

/*
 * Import hooks that leave everything alone but the modules that are wanted: for any other one they
 * return exactly what the next hook returned. Wanted modules go to import-in-the-middle, which puts
 * a module with writable exports in their place. Its URLs carry `iitm` in their query, whichever
 * copy of it made them.
 */

type Next<Context, Result> = (what: string, context?: Partial<Context>) => Result;
type Resolve<Result> = (
  specifier: string,
  context: ResolveHookContext,
  next: Next<ResolveHookContext, Result>,
) => Result;
type Load<Result> = (
  url: string,
  context: LoadHookContext,
  next: Next<LoadHookContext, Result>,
) => Result;

/** The hooks of import-in-the-middle: its synchronous or its asynchronous pair. */
export interface Wrapper<Resolved, Loaded> {
  resolve: Resolve<Resolved>;
  load: Load<Loaded>;
}

export type SyncWrapper = Wrapper<ResolveFnOutput, LoadFnOutput>;
export type AsyncWrapper = Wrapper<Promise<ResolveFnOutput>, Promise<LoadFnOutput>>;

type MaybePromise<Value> = Value | Promise<Value>;

export interface GuardListeners {
  /**
   * Patches a module of Node's own in place, where the hooks run on the thread of the application:
   * it needs no wrapper.
   */
  onBuiltin?: (url: string) => void;
  /** Called with the package of each module that is imported, the first time it is seen. */
  onPackage?: (name: string) => void;
}

/**
 * Returns the guarded hooks. `wrapperOf` loads import-in-the-middle when the first wanted module
 * is imported; `undefined` from it leaves that module alone.
 */
export function guardImports<
  Resolved extends MaybePromise<ResolveFnOutput>,
  Loaded extends MaybePromise<LoadFnOutput>,
>(
  names: NameTable,
  wrapperOf: () => Wrapper<Resolved, Loaded> | undefined,
  { onBuiltin, onPackage }: GuardListeners = {},
): Wrapper<Resolved, Loaded> {
  /** URLs that were given to import-in-the-middle. One for each wanted module that is imported. */
  const wrapped = new Set<string>();
  /** Packages that were imported: as many as are installed. */
  const packages = new Set<string>();
  /** CommonJS modules that went through the hooks. */
  const commonjs = new Set<string>();
  let wrapper: Wrapper<Resolved, Loaded> | undefined;

  return {
    resolve(specifier, context, next) {
      const { parentURL } = context;
      if (isIitm(specifier)) {
        return wrapper && wrapped.has(withoutIitm(specifier))
          ? wrapper.resolve(specifier, context, next)
          : next(specifier, context);
      }
      // An entry has no parent. What a wrapper imports is the module itself.
      if (!parentURL || isIitm(parentURL)) return next(specifier, context);
      if (context.conditions?.includes('require')) return next(specifier, context);
      if (commonjs.has(parentURL) && isRequired(specifier)) return next(specifier, context);
      return settle(next(specifier, context), (result) => {
        // Another copy of import-in-the-middle would call its own listeners only; ours calls all.
        const url = withoutIitm(result.url);
        if (onPackage) see(packages, url, onPackage);
        if (!isWanted(names, url, specifier) && !isWantedMain(names, url, specifier)) return result;
        if (onBuiltin && url.startsWith('node:')) {
          onBuiltin(url);
          return result;
        }
        wrapper ??= wrapperOf();
        if (wrapper === undefined) return result;
        let isFirst = true;
        const resolved: Resolved = wrapper.resolve(specifier, context, (other, otherContext) => {
          if (!isFirst) return next(other, otherContext);
          isFirst = false;
          return { ...result, url };
        });
        return settle<Resolved>(resolved, (outcome) => {
          if (!isIitm(outcome.url)) return result;
          wrapped.add(url);
          return outcome;
        });
      });
    },

    load(url, context, next) {
      if (isIitm(url)) {
        return wrapper && wrapped.has(withoutIitm(url))
          ? wrapper.load(url, context, next)
          : next(url, context);
      }
      // A module in a cycle with a wrapped one is the only one to be changed by it.
      const loaded = wrapper ? wrapper.load(url, context, next) : next(url, context);
      return settle(loaded, (result) => {
        if (result.format === 'commonjs') commonjs.add(url);
        return result;
      });
    },
  };
}

function settle<Value extends object>(
  value: Value,
  use: (value: Awaited<Value>) => Awaited<Value> | Value,
): Value {
  return (value instanceof Promise ? value.then(use) : use(value as Awaited<Value>)) as Value;
}

function see(packages: Set<string>, url: string, onPackage: (name: string) => void): void {
  const inside = pathInPackage(url);
  if (inside === undefined) return;
  const name = packageOf(inside);
  if (packages.has(name)) return;
  packages.add(name);
  onPackage(name);
}

/**
 * Whether a package is wanted that was imported by the URL, the path or another name of its main
 * file. Files of the package that import each other are left alone.
 */
function isWantedMain(names: NameTable, url: string, specifier: string): boolean {
  const inside = specifier.startsWith('.') ? undefined : pathInPackage(url);
  if (inside === undefined || !url.startsWith('file:')) return false;
  const name = packageOf(inside);
  if (!names.has(name)) return false;
  const path = fileURLToPath(url.replace(/[?#].*/, '')).replaceAll('\\', '/');
  const file = inside.slice(name.length + 1);
  return isMainFile(path.slice(0, path.length - file.length - 1), file);
}

/**
 * Whether a CommonJS module asks by `require`. Where another tool's hook gave the module's source,
 * Node sends what it requires to the import hooks: a file as its URL, or a module of Node's own.
 */
function isRequired(specifier: string): boolean {
  return specifier.startsWith('file:');
}

const IITM = /[?&]iitm=[^&#]*/;

/** `import.meta.resolve` passes on whatever it was given, of which Node itself complains. */
function isIitm(url: unknown): boolean {
  return typeof url === 'string' && IITM.test(url);
}

function withoutIitm(url: string): string {
  if (!isIitm(url)) return url;
  const parsed = new URL(url);
  parsed.searchParams.delete('iitm');
  return parsed.href;
}
