import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { withoutMark } from '../../wrap/marker.ts';
import { redactUrl } from '../redact-url.ts';

/*
 * Finds out that a request is sent again: after a redirect, or because it failed. No library tells, so
 * it is known from what is exact: the same context, the same method, and a URL that is the one which
 * failed or the one that a redirect named. Where no context is active nothing is compared but redirects
 * of a moment ago.
 *
 * `attempts` holds what may be sent again, by the context it was sent in; an entry goes when it was
 * found, with its context, and where there are too many.
 */

interface Attempt {
  /** The method and the URL that would be sent; a redirect may change the method. */
  readonly method: string | undefined;
  readonly url: string;
  readonly count: number;
  readonly at: number;
}

const MAX_ATTEMPTS = 16;
const MAX_REDIRECT_MILLIS = 1000;
/** Between an attempt and the next one, in milliseconds: longer than a library waits. */
const MAX_RETRY_MILLIS = 60_000;

const attempts = new WeakMap<Context, Attempt[]>();
const RETRIED = new Set([401, 407, 408, 413, 425, 429]);

/** How often a request with this redacted URL was sent before: 0 for one that is new. */
export function resendCount(active: Context, method: string, url: string): number {
  // A library that sends again by itself does it in a callback, which a rule may have repaired.
  const parent = withoutMark(active);
  const list = attempts.get(parent);
  if (list === undefined) return 0;
  const now = performance.now();
  for (let index = list.length - 1; index >= 0; index--) {
    const attempt = list[index]!;
    const limit = parent === ROOT_CONTEXT ? MAX_REDIRECT_MILLIS : MAX_RETRY_MILLIS;
    if (now - attempt.at > limit) list.splice(index, 1);
    else if (attempt.url === url && (attempt.method ?? method) === method) {
      list.splice(index, 1);
      return attempt.count + 1;
    }
  }
  if (list.length === 0) attempts.delete(parent);
  return 0;
}

/** Notes that a request failed, or was answered in a way that makes clients send it again. */
export function noteFailure(parent: Context, method: string, url: string, count: number): void {
  // Without a context two requests that nothing connects look the same.
  if (withoutMark(parent) !== ROOT_CONTEXT)
    note(parent, { method, url, count, at: performance.now() });
}

/** Notes a response, where it is one after which a client may send the request again. */
export function noteResponse(
  parent: Context,
  { method, url, count }: { method: string; url: string; count: number },
  status: number,
  location: () => string | undefined,
): void {
  if (status >= 500 || RETRIED.has(status)) {
    noteFailure(parent, method, url, count);
  } else if (status >= 300 && status < 400) {
    const target = resolved(location(), url);
    if (target !== undefined) {
      note(parent, { method: undefined, url: target, count, at: performance.now() });
    }
  }
}

function note(active: Context, attempt: Attempt): void {
  const parent = withoutMark(active);
  const list = attempts.get(parent);
  if (list === undefined) attempts.set(parent, [attempt]);
  else {
    if (list.length >= MAX_ATTEMPTS) list.shift();
    list.push(attempt);
  }
}

function resolved(location: string | undefined, base: string): string | undefined {
  if (typeof location !== 'string' || !URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  url.hash = '';
  url.username = '';
  url.password = '';
  return redactUrl(url.href);
}
