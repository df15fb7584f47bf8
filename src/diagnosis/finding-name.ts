import type { FindingName } from './finding.ts';
import type { HandOver } from './stack-frames.ts';
import type { LossKind } from './record.ts';

/** Returns the name of the finding for an observation. */
export function nameOf(
  seen: { kind: LossKind; handle?: { type: string } | undefined },
  handOver: HandOver | undefined,
  viaEmitter: boolean = handOver?.viaEmitter === true,
): FindingName {
  switch (seen.kind) {
    case 'batched':
      return 'CLEW-BATCHED';
    case 'inactive':
      return 'CLEW-SPAN-NOT-ACTIVE';
    case 'stale':
      return seen.handle?.type === 'Timeout' ? 'CLEW-STALE-TIMER' : 'CLEW-STALE-CONNECTION';
    default: {
      const state = seen.kind === 'lost' ? 'LOST' : 'MIXED';
      if (viaEmitter || handOver?.by === 'node') return `CLEW-${state}-EMITTER`;
      return handOver ? `CLEW-${state}-QUEUE` : `CLEW-${state}-CALLBACK`;
    }
  }
}
