import type { ServerRequest } from '../http/server/server-request.ts';

/**
 * Runs a handler and records what it throws, or what the promise rejects with that it returns. Its
 * caller gets it as before: a promise that is returned in its place settles like it. `ended` is
 * called once the handler has ended.
 */
export function watchErrors(
  request: ServerRequest,
  run: () => unknown,
  ended?: () => void,
): unknown {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    return fail(error);
  }
  // Looking at a promise would count as handling it, so it is handed on with the look in between.
  if (result instanceof Promise) return result.then(ended && pass, fail);
  ended?.();
  return result;

  function pass(value: unknown): unknown {
    ended?.();
    return value;
  }

  function fail(error: unknown): never {
    ended?.();
    request.recordError(error);
    throw error;
  }
}
