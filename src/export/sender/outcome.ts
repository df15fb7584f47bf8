import { adviceForStatus, type Failure } from './advice.ts';

/*
 * Decides the outcome of a request, and how long to wait before the next: pure functions, so that
 * the rules can be read and tested without a collector.
 */

/** The result of the transport, which never rejects. */
export type Outcome =
  | { kind: 'accepted'; rejected: number; message: string }
  /** The collector is unreachable or cannot accept spans now: keep them and retry. */
  | (Failure & { kind: 'unavailable'; retryAfterMillis?: number; mayBePoison: boolean })
  /** The request is larger than the collector accepts. */
  | (Failure & { kind: 'too-large' })
  /** The collector cannot read the request: one span may be the cause. */
  | (Failure & { kind: 'malformed' })
  /** The collector refuses such requests: credentials, address, redirect. */
  | (Failure & { kind: 'refused'; status: number });

/** Classifies a response by its status. 500 and 408 are retried, which OTLP does not require. */
export function outcomeOfStatus(
  status: number,
  retryAfter: string | undefined,
  now: number,
): Exclude<Outcome, { kind: 'accepted' }> {
  const failure = { reason: `it answered ${status}`, advice: adviceForStatus(status) };
  if (status === 413) return { kind: 'too-large', ...failure };
  if (status === 400 || status === 422) return { kind: 'malformed', ...failure };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMillis = parseRetryAfter(retryAfter, now);
    return {
      kind: 'unavailable',
      ...failure,
      ...(retryAfterMillis !== undefined && { retryAfterMillis }),
      // An overloaded collector, or a proxy in front of a missing one, does not mean that the spans
      // are bad.
      mayBePoison: status === 500,
    };
  }
  return { kind: 'refused', ...failure, status };
}

/** The longest wait, whatever the collector requests: its clock may be wrong, or ours. */
export const MAX_RETRY_AFTER_MILLIS: number = 5 * 60_000;

/** Milliseconds from a `Retry-After` in seconds or as a date. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

export interface Backoff {
  /** The wait after a first failure. */
  initialMillis: number;
  /** The longest wait, reached by doubling. */
  maxMillis: number;
}

/**
 * The wait before the next request: the one that the collector requests, up to the limit, or our
 * own.
 */
export function waitMillis(
  failures: number,
  retryAfterMillis: number | undefined,
  backoff: Backoff,
): number {
  if (retryAfterMillis === undefined) return backoffMillis(failures, backoff);
  return Math.min(retryAfterMillis, MAX_RETRY_AFTER_MILLIS);
}

/** The wait after `failures` in a row: doubled each time, then spread over its upper half. */
export function backoffMillis(failures: number, { initialMillis, maxMillis }: Backoff): number {
  const full = Math.min(maxMillis, initialMillis * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + Math.random() / 2);
}
