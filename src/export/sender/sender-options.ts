import type { Target } from './http-transport.ts';
import type { Backoff } from './outcome.ts';

/** What the sender needs to know: plain data, because it crosses to the sender's thread. */
export interface SenderOptions {
  target: Target;
  /** Requests under way at the same time. */
  maxInFlight: number;
  /** The largest request, before compression. */
  maxBatchBytes: number;
  maxBatchSpans: number;
  /** What may wait in memory. */
  maxQueueBytes: number;
  maxQueueSpans: number;
  onOverflow: OverflowPolicy;
  backoff: Backoff;
  /** How often a request that the collector refuses is offered before it is set aside. */
  maxRefusals: number;
  spool?: SpoolOptions | undefined;
}

/**
 * What happens when no more spans may wait: the oldest go, the newest go, or the application is
 * made to wait, for at most `blockMillis` per span.
 */
export type OverflowPolicy = 'drop-oldest' | 'drop-newest' | 'block';

export interface SpoolOptions {
  /** The folder that all processes of this user share. */
  folder: string;
  maxBytes: number;
  maxAgeMillis: number;
}

/** How long a drain may take. */
export interface DrainLimits {
  /** Give up when the collector has taken nothing for this long, though it did not refuse. */
  stallMillis: number;
  /** Give up when every attempt has failed for this long. */
  failingMillis: number;
  /**
   * Give up in any case. At the end of a process: give up when a collector that has taken spans
   * takes no more for this long; while it does, the end goes on.
   */
  totalMillis: number;
  /** The process ends: give up after a few failures in a row, and leave to the spool what is in it. */
  atExit: boolean;
}
