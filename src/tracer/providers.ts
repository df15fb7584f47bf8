import * as hooks from 'node:async_hooks';

/** The types that are defined in Node's native code, by name. */
export const asyncWrapProviders: Readonly<Record<string, number>> =
  (hooks as unknown as { asyncWrapProviders?: Record<string, number> }).asyncWrapProviders ?? {};
