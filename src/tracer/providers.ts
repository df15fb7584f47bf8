import * as hooks from 'node:async_hooks';

/** The types Node's native side knows, by name. */
export const asyncWrapProviders: Readonly<Record<string, number>> =
  (hooks as unknown as { asyncWrapProviders?: Record<string, number> }).asyncWrapProviders ?? {};
