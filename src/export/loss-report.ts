import { spans } from './sender/delivery-log.ts';
import { imbalance, type DeliveryStats } from './stats.ts';

/** The report at the end of delivery: which spans are kept, which were lost, and why. */
export interface LossReport {
  lost: number;
  kept: string | undefined;
  loss: string | undefined;
}

/**
 * Returns the lines that report the end of a delivery. `spoolFolder` is where its spans are kept.
 */
export function reportLoss(stats: DeliveryStats, spoolFolder: string | undefined): LossReport {
  const keptSpans = stats.spooled + (spoolFolder ? stats.queued : 0);
  const lost = stats.ended + stats.adopted - stats.accepted - keptSpans;
  const kept =
    keptSpans > 0 ? `${spans(keptSpans)} kept in ${spoolFolder} for the next start.` : undefined;
  if (lost <= 0) return { lost: 0, kept, loss: undefined };
  const unsent = stats.droppedBy.exit + (spoolFolder ? 0 : stats.queued);
  const reasons: [string, number][] = Object.entries(stats.droppedBy).filter(([reason, count]) => {
    return count > 0 && reason !== 'exit';
  });
  if (stats.rejected > 0) reasons.push(['rejected', stats.rejected]);
  if (unsent > 0) reasons.push(['not sent before the end', unsent]);
  if (imbalance(stats) !== 0) reasons.push(['unaccounted for', imbalance(stats)]);
  const list = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  const advice = unsent > 0 ? ' CLEW_SPOOL=1 keeps spans on disk until they are delivered.' : '';
  return {
    lost,
    kept,
    loss: `Of ${spans(stats.ended)} that ended, ${lost} ${lost === 1 ? 'was' : 'were'} lost: ${list}.${advice}`,
  };
}
