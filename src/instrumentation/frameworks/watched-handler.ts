import type { HandlerSpan } from '../http/server/handler-span.ts';
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

/**
 * Runs a handler that hands on by its `next` in its span, where it has one. An error that it hands on is
 * one of its own, unless it got it: `given`.
 */
export function runCallback<Next extends (...args: never[]) => unknown>(
  span: HandlerSpan | undefined,
  run: (next: Next) => unknown,
  next: Next,
  response: { readonly writableEnded: boolean },
  given?: unknown,
): unknown {
  if (span === undefined) return run(next);
  const onwards = onwardsOf(span, next, given);
  return span.run(
    () => run(onwards),
    () => response.writableEnded,
  );
}

/** The `next` of a handler that has the span. */
export function onwardsOf<Next extends (...args: never[]) => unknown>(
  span: HandlerSpan,
  next: Next,
  given?: unknown,
): Next {
  return span.leaving(next, (first) => (first === given || isDirection(first) ? undefined : first));
}

/** What a handler gives to its `next` may be where to go on: `'route'`, `false`. */
function isDirection(first: unknown): boolean {
  return typeof first === 'string' || typeof first === 'boolean';
}
