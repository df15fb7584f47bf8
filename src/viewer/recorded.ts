import type { Thread } from './trace-model.ts';

/*
 * What a recording of async resources adds to the spans that are made of it. Whoever reads the
 * recording fills it in: the viewer does not know the tracer.
 */

export interface RecordedTrace {
  /** Times are microseconds since `startNanos`. */
  readonly startNanos: bigint;
  readonly threads: readonly Thread[];
  readonly omitted: number;
  /** Type, and from when to when it was pending in milliseconds since 1970, one after the other. */
  readonly pending: readonly (readonly [type: string, fromMs: number, toMs: number])[];
}
