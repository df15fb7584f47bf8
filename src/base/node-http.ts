import type * as Http from 'node:http';
import type * as Https from 'node:https';

/**
 * `node:http`. An `import` of it reads each of its exports, the getters too, which load undici and
 * HTTP/2: ten times the time, and promises of undici that the application's own hooks would see.
 */
export const http: typeof Http = process.getBuiltinModule('node:http');

/** Whether a module of Node's own is loaded; `name` is without `node:`. */
export function isLoaded(name: string): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: unknown };
  return Array.isArray(moduleLoadList) && moduleLoadList.includes(`NativeModule ${name}`);
}

/** `node:https`, which a program that does without it need not load. */
export function loadHttps(): typeof Https {
  return process.getBuiltinModule('node:https');
}
