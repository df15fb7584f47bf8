/*
 * The plain records of the tracer. Times are milliseconds on the clock of `performance.now()`; add
 * `performance.timeOrigin` for the time of day.
 */

import type { AsyncResourceRole } from '../carry/async-resource-types.ts';

/**
 * How much is seen. `off`: nothing. `watch`: handles only, to split time and to name who holds the
 * loop. `trace`: a record for every async resource, promises included, of the work `select` picks.
 * `deep`: everything, until it is destroyed, with creation stacks; costs twenty times a request.
 */
export type TracerLevel = 'off' | 'watch' | 'trace' | 'deep';

export const TRACER_LEVELS: readonly TracerLevel[] = ['off', 'watch', 'trace', 'deep'];

/** The life of one async resource, as far as it was seen. */
export interface AsyncRecord {
  /** The async id that Node gave it. */
  readonly asyncId: number;
  readonly type: string;
  /** Because of what it exists. */
  readonly triggerAsyncId: number;
  /** In whose callback it was created. */
  readonly executionAsyncId: number;
  /** When it was created. */
  readonly initAt: number;
  /** `before` and `after` of each callback, in turn: `[before, after, before, after, ...]`. */
  readonly slices: number[];
  /** Callbacks beyond the bound, which were not kept. */
  slicesDropped: number;
  /** When the promise was resolved. */
  resolvedAt?: number;
  /** When it was destroyed. */
  destroyedAt?: number;
  /** What the type can tell: the host name of a lookup, the port of a listen, the SQL. */
  description?: string;
  /** What it stands for, where its type is one of ours. */
  role?: AsyncResourceRole;
  /** Where it was created, innermost frame first; only where it was asked for. */
  stack?: string[];
  /** The span that was active where it was created. */
  spanId?: string;
  /** The span that shows it, as that of its operation does. */
  shownBy?: string;
  /** When that span ended, in milliseconds of `performance.now()`. */
  shownUntil?: number;
  /** It existed before recording began: `initAt` is when it was first seen. */
  readonly bornBefore: boolean;
}

/** Why a group was finished. */
export type TraceEnd = 'idle' | 'cap' | 'stop';

/** Whose work a group is, where a request or a root span is known. */
export interface TraceOwner {
  /** Counts from 1 in each process. */
  id: number;
  label: string;
  /** When the request began. */
  startedAt: number;
  /** When it ended; absent where it goes on. */
  endedAt?: number;
  traceId?: string;
  spanId?: string;
  /** Whether that span is sampled. */
  sampled?: boolean;
  /** What to add to times of the tracer to get the span's milliseconds since 1970. */
  epochOffset?: number;
  /** When that span started, on the tracer's clock. */
  spanStartedAt?: number;
  marked: boolean;
}

/** A finished group: the async resources reachable by trigger from one root, or one request. */
export interface AsyncTrace {
  /** The async resource all others were triggered by, seen itself or not. */
  root: { asyncId: number; type: string; description?: string };
  owner?: TraceOwner;
  /** When its request began; without one, or in a later part, when the group did. */
  startedAt: number;
  /** When something of it was last seen to happen. */
  endedAt: number;
  /** In the order of their creation. */
  records: AsyncRecord[];
  endedBy: TraceEnd;
  /** Async resources of this group that the cap kept out. */
  dropped: number;
  /** Which group of its owner this is, from 2 on: it went on after the first was finished. */
  part?: number;
}

/** The last moment something is known to have happened to this async resource. */
export function lastSeen(record: AsyncRecord): number {
  return Math.max(
    record.initAt,
    record.slices.at(-1) ?? 0,
    record.resolvedAt ?? 0,
    record.destroyedAt ?? 0,
  );
}

/** Milliseconds in callbacks: `before` and `after` in turn. */
export function runTime(slices: readonly number[]): number {
  let run = 0;
  for (let i = 0; i + 1 < slices.length; i += 2) run += (slices[i + 1] ?? 0) - (slices[i] ?? 0);
  return run;
}
