import type { Certainty } from './finding.ts';
import { yourFrame, type HandOver } from './stack-frames.ts';
import type { CountedObservation, HandleRecord } from './record.ts';

/**
 * Rates how certain it is that something is wrong, never beyond the evidence; undefined if the
 * evidence is too weak for a finding.
 */
export function certaintyOf(
  seen: CountedObservation,
  handOver: HandOver | undefined,
): Certainty | undefined {
  switch (seen.kind) {
    case 'lost':
      return seen.anchored ? certaintyOfLost(seen, handOver) : certaintyOfOrphan(seen, handOver);
    case 'mixed':
      return certaintyOfMixed(seen, handOver);
    case 'stale': {
      const { repeating = false, chained = false } = seen.handle ?? {};
      return (repeating || chained) && seen.count > 1 ? 'proven' : 'likely';
    }
    case 'batched':
      return 'proven';
    default:
      // `inactive`
      return seen.parentedElsewhere ? 'likely' : 'possible';
  }
}

/**
 * A response touched under no request is a loss, unless the touch writes a chunk of a stream: a
 * broadcast to many clients comes from none of their requests, and a start-up timer that does it
 * does so on purpose.
 */
function certaintyOfLost(
  { completes, handle }: CountedObservation,
  handOver: HandOver | undefined,
): Certainty | undefined {
  if (completes) return handOver?.isGuess ? 'likely' : 'proven';
  const isMeant = handle !== undefined && isOwnTimer(handle) && handOver?.by !== 'package';
  return isMeant ? undefined : 'possible';
}

/**
 * A span without a parent, and no evidence of its request. Work that start-up began on purpose
 * looks the same: a timer or a subscription of the application belongs to no request.
 */
function certaintyOfOrphan(
  { handle, inFlight, parentedElsewhere, stack }: CountedObservation,
  handOver: HandOver | undefined,
): Certainty | undefined {
  if (inFlight === 0 || !handle || isOwnTimer(handle)) return undefined;
  if (handOver === undefined || (handOver.by === 'node' && !yourFrame(stack))) return undefined;
  return inFlight === 1 && parentedElsewhere ? 'likely' : 'possible';
}

/** A timer that the application started, or may have started, outside of all requests. */
function isOwnTimer({ type, bornIn, older, stack }: HandleRecord): boolean {
  const isKnown = older === true || yourFrame(stack) !== undefined;
  return type === 'Timeout' && bornIn === undefined && isKnown;
}

/**
 * A response touched under another request's context is certain. That it is wrong is not, if the
 * other request's own code did it: a broadcast writes to the responses of others on purpose.
 */
function certaintyOfMixed(
  { completes }: CountedObservation,
  handOver: HandOver | undefined,
): Certainty {
  const onPurpose =
    handOver === undefined || (handOver.by === 'application' && handOver.viaEmitter);
  if (handOver?.isGuess) return completes ? 'likely' : 'possible';
  if (!onPurpose) return completes || handOver.by === 'package' ? 'proven' : 'possible';
  return completes ? 'likely' : 'possible';
}
