import type { Target } from './http-transport.ts';
import type { Backoff } from './outcome.ts';

/** The sender's options: plain data, because it is posted to the sender's thread. */
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
  /** How often a request that the collector refuses is sent before it is set aside. */
  maxRefusals: number;
  spool?: SpoolOptions | undefined;
}

/**
 * What happens when the queue is full: the oldest spans are dropped, the newest are dropped, or the
 * application waits, for at most `blockMillis` per span.
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
  /** Give up when the collector has accepted nothing for this long, though it did not refuse. */
  stallMillis: number;
  /** Give up when every attempt has failed for this long. */
  failingMillis: number;
  /**
   * Give up in any case. At exit: give up when a collector that accepted spans accepts no more for
   * this long; while it does, sending continues.
   */
  totalMillis: number;
  /**
   * The process is exiting: give up after a few failures in a row, and leave spans that are in the
   * spool there.
   */
  atExit: boolean;
}
