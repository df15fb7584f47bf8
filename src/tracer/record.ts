/*
 * The plain records of the tracer. Times are milliseconds on the clock of `performance.now()`; add
 * `performance.timeOrigin` for the time of day.
 */

import type { AsyncResourceRole } from '../carry/async-resource-types.ts';

/**
 * How much is recorded. `off`: nothing. `watch`: handles only, to split time and to name the work
 * that holds the loop. `trace`: every async resource, including promises, of the work that `select`
 * picks. `deep`: every async resource until it is destroyed, with creation stacks; makes a request
 * about twenty times as expensive.
 */
export type TracerLevel = 'off' | 'watch' | 'trace' | 'deep';

export const TRACER_LEVELS: readonly TracerLevel[] = ['off', 'watch', 'trace', 'deep'];

/** The life cycle of one async resource, as far as it was observed. */
export interface AsyncRecord {
  /** Its async id. */
  readonly asyncId: number;
  readonly type: string;
  /** The async id of the resource that triggered it. */
  readonly triggerAsyncId: number;
  /** The async id of the resource in whose callback it was created. */
  readonly executionAsyncId: number;
  /** When it was created. */
  readonly initAt: number;
  /** `before` and `after` of each callback, in turn: `[before, after, before, after, ...]`. */
  readonly slices: number[];
  /** The number of callbacks that exceeded the limit and were not kept. */
  slicesDropped: number;
  /** When the promise was resolved. */
  resolvedAt?: number;
  /** When it was destroyed. */
  destroyedAt?: number;
  /** Details that the type provides: the host name of a lookup, the port of a listen, the SQL. */
  description?: string;
  /** What it represents, if its type is one of clew's. */
  role?: AsyncResourceRole;
  /** The stack of its creation, innermost frame first, if stacks are enabled. */
  stack?: string[];
  /** The span that was active where it was created. */
  spanId?: string;
  /** The span that already represents it, such as that of its operation. */
  shownBy?: string;
  /** When that span ended, in milliseconds of `performance.now()`. */
  shownUntil?: number;
  /** Whether it existed before recording began. `initAt` is then the time of its first event. */
  readonly bornBefore: boolean;
}

/** Why a group was finished. */
export type TraceEnd = 'idle' | 'cap' | 'stop';

/** The request or root span to which a group belongs. */
export interface TraceOwner {
  /** Counts from 1 in each process. */
  id: number;
  label: string;
  /** When the request began. */
  startedAt: number;
  /** When it ended; absent while it is in progress. */
  endedAt?: number;
  traceId?: string;
  spanId?: string;
  /** Whether that span is sampled. */
  sampled?: boolean;
  /** Add it to a time of the tracer to get the span's milliseconds since 1970. */
  epochOffset?: number;
  /** When that span started, on the tracer's clock. */
  spanStartedAt?: number;
  marked: boolean;
}

/**
 * A finished group: the async resources that one root, or one request, triggered directly or
 * indirectly.
 */
export interface AsyncTrace {
  /** The async resource that triggered all others, whether it was observed itself or not. */
  root: { asyncId: number; type: string; description?: string };
  owner?: TraceOwner;
  /** When its request began. Without a request, or in a later part, when the group began. */
  startedAt: number;
  /** The time of its last event. */
  endedAt: number;
  /** In the order of their creation. */
  records: AsyncRecord[];
  endedBy: TraceEnd;
  /** The number of async resources of this group that exceeded the limit. */
  dropped: number;
  /**
   * The number of this group, from 2, if its owner continued after its first group was finished.
   */
  part?: number;
}

/** Returns the time of the last known event of this async resource. */
export function lastSeen(record: AsyncRecord): number {
  return Math.max(
    record.initAt,
    record.slices.at(-1) ?? 0,
    record.resolvedAt ?? 0,
    record.destroyedAt ?? 0,
  );
}

/** Returns the milliseconds spent in callbacks: `before` and `after` in turn. */
export function runTime(slices: readonly number[]): number {
  let run = 0;
  for (let i = 0; i + 1 < slices.length; i += 2) run += (slices[i + 1] ?? 0) - (slices[i] ?? 0);
  return run;
}
