import { DROP_REASONS, type CounterValues, type DropReason } from './sender/counters.ts';

/**
 * Where every span is that ended.
 *
 * At every instant
 * `ended + adopted = accepted + rejected + dropped + queued + spooled`.
 */
export interface DeliveryStats {
  /** Sampled spans that ended in this process. */
  ended: number;
  /** Spans that an earlier process left in the spool. */
  adopted: number;
  /** Spans the collector took. */
  accepted: number;
  /** Spans the collector took note of and rejected (partial success). */
  rejected: number;
  /** Spans given up. */
  dropped: number;
  /** The same by reason. */
  droppedBy: Record<DropReason, number>;
  /** Spans in memory, those in requests under way included. */
  queued: number;
  /** Those of `queued` that are in requests under way. */
  inFlight: number;
  /** Bytes of what is queued. */
  queuedBytes: number;
  /** Spans on disk only. */
  spooled: number;
  /** Bytes of the spool's files, of what is queued as well. */
  spooledBytes: number;
  /** Requests sent to the collector. */
  requests: number;
  /** How many of them failed. */
  failedRequests: number;
  /** Whether the last request failed. */
  failing: boolean;
}

/** What the application's side counts. */
export interface LocalCounts {
  ended: number;
  /** Handed to senders. */
  posted: number;
  dropped: Record<DropReason, number>;
  /** Bytes encoded and not handed over. */
  openBytes: number;
  /** Spans encoded and not handed over. */
  open: number;
}

export function noDrops(): Record<DropReason, number> {
  return Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<
    DropReason,
    number
  >;
}

/** Puts together what both sides count. */
export function toStats(local: LocalCounts, sender: CounterValues): DeliveryStats {
  const droppedBy = noDrops();
  let dropped = 0;
  for (const reason of DROP_REASONS) {
    droppedBy[reason] = local.dropped[reason] + sender[reason];
    dropped += droppedBy[reason];
  }
  const inTransit = local.posted - sender.received;
  return {
    ended: local.ended,
    adopted: sender.adopted,
    accepted: sender.accepted,
    rejected: sender.rejected,
    dropped,
    droppedBy,
    queued: local.open + inTransit + sender.queued,
    inFlight: sender.inFlight,
    queuedBytes: local.openBytes + sender.queuedBytes,
    spooled: sender.spooled,
    spooledBytes: sender.spooledBytes,
    requests: sender.requests,
    failedRequests: sender.failures,
    failing: sender.failing === 1,
  };
}

/** What the equation misses by: 0 unless spans were lost count of. */
export function imbalance(stats: DeliveryStats): number {
  const { ended, adopted, accepted, rejected, dropped, queued, spooled } = stats;
  return ended + adopted - accepted - rejected - dropped - queued - spooled;
}
