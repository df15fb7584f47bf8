import { DROP_REASONS, type CounterValues, type DropReason } from './sender/counters.ts';

/**
 * Counts of the spans that have ended, by where they are now.
 *
 * At any time, `ended + adopted = accepted + rejected + dropped + queued + spooled`.
 */
export interface DeliveryStats {
  /** Sampled spans that ended in this process. */
  ended: number;
  /** Spans that an earlier process left in the spool and this one took over. */
  adopted: number;
  /** Spans accepted by the collector. */
  accepted: number;
  /** Spans rejected by the collector (partial success). */
  rejected: number;
  /** Spans dropped. */
  dropped: number;
  /** Spans dropped, by reason. */
  droppedBy: Record<DropReason, number>;
  /** Spans in memory, including those in requests under way. */
  queued: number;
  /** The part of `queued` that is in requests under way. */
  inFlight: number;
  /** Bytes of the queued spans. */
  queuedBytes: number;
  /** Spans that are only on disk. */
  spooled: number;
  /** Bytes of the spool's files, including spans that are also queued in memory. */
  spooledBytes: number;
  /** Requests sent to the collector. */
  requests: number;
  /** How many of them failed. */
  failedRequests: number;
  /** Whether the last request failed. */
  failing: boolean;
}

/** The counts of the application's side. */
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

/** Combines the counts of both sides. */
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

/** The difference between the sides of the equation: 0 if every span is accounted for. */
export function imbalance(stats: DeliveryStats): number {
  const { ended, adopted, accepted, rejected, dropped, queued, spooled } = stats;
  return ended + adopted - accepted - rejected - dropped - queued - spooled;
}
