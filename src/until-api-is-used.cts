/*
 * `untilApiIsUsed` puts a start off until something reads the global of `@opentelemetry/api`. Before
 * that there is no context to carry and no header to write, so that a program which never uses the
 * API pays for this file alone.
 *
 * The start runs in the async context of the call, and not in the one of the request that happens to
 * be the first to use the API. `begin` must not throw.
 */
{
  const { AsyncLocalStorage } = require('node:async_hooks') as typeof import('node:async_hooks');

  /** The one of every 1.x of the API, which keeps its globals in the object under it. */
  const API = Symbol.for('opentelemetry.js.api.1');

  const untilApiIsUsed = (begin: () => void): void => {
    // Something came first, or nothing may be defined: then there is nothing to wait for.
    if (API in globalThis || !Object.isExtensible(globalThis)) return begin();
    const inThisContext = AsyncLocalStorage.snapshot();
    let isPlain = false;
    const use = (value: unknown): void => {
      isPlain ||= Reflect.defineProperty(globalThis, API, {
        value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
      if (isPlain) inThisContext(begin);
    };
    Reflect.defineProperty(globalThis, API, {
      configurable: true,
      get: () => {
        use(undefined);
        return isPlain ? (Reflect.get(globalThis, API) as unknown) : undefined;
      },
      set: use,
    });
  };

  module.exports = { untilApiIsUsed };
}
