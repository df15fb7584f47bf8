import { handOverIn, partyOf, yourFrame } from './stack-frames.ts';
import type { CountedObservation, Frame, Observation } from './record.ts';

/*
 * Merges observations by cause, so that a flood of losses becomes one finding with a count. A cause
 * is kept from its first observation to the end of the run; the number of causes is bounded.
 */
const MAX_CAUSES = 500;
const MAX_OWNERS = 20;

interface Cause {
  observation: Observation;
  count: number;
  brokenSpans: number;
  owners: Map<string, number>;
}

export class CauseBook {
  readonly #causes = new Map<string, Cause>();
  #dropped = 0;

  /** Adds an observation and returns the key of its cause; undefined if it was dropped. */
  add(observation: Observation): string | undefined {
    const key = causeOf(observation);
    let cause = this.#causes.get(key);
    if (!cause) {
      if (this.#causes.size >= MAX_CAUSES) {
        this.#dropped++;
        return undefined;
      }
      cause = { observation, count: 0, brokenSpans: 0, owners: new Map() };
      this.#causes.set(key, cause);
    }
    // A chunk of a stream is weaker evidence than its end.
    if (observation.completes && !cause.observation.completes) {
      cause.observation = { ...cause.observation, completes: true };
    }
    // Stacks are not kept for every activation.
    if (observation.origin && !cause.observation.origin) {
      cause.observation = { ...cause.observation, origin: observation.origin };
    }
    // Creation stacks are kept from the first loss on, so later observations have more of them.
    const { birth = [] } = cause.observation;
    if (observation.birth && observation.birth.length > birth.length) {
      cause.observation = { ...cause.observation, birth: observation.birth };
    }
    count(cause, observation);
    return key;
  }

  /** Counts another observation of a known cause, without its stack. */
  again(key: string, more: Pick<Observation, 'owner' | 'spans'>): void {
    const cause = this.#causes.get(key);
    if (cause) count(cause, more);
  }

  /** Counts an observation that came too soon to be analysed. */
  skip(): void {
    this.#dropped++;
  }

  get dropped(): number {
    return this.#dropped;
  }

  entries(): CountedObservation[] {
    return [...this.#causes.values()].map((cause) => ({
      ...cause.observation,
      count: cause.count,
      brokenSpans: cause.brokenSpans,
      owners: Object.fromEntries(cause.owners),
    }));
  }
}

function count(cause: Cause, { owner, spans }: Pick<Observation, 'owner' | 'spans'>): void {
  cause.count++;
  cause.brokenSpans += spans.length;
  if (!owner) return;
  const known = cause.owners.get(owner.label);
  if (known !== undefined || cause.owners.size < MAX_OWNERS) {
    cause.owners.set(owner.label, (known ?? 0) + 1);
  }
}

/** Returns the key that observations of one cause have in common. */
function causeOf(observation: Observation): string {
  const { kind, stack, handle, what, anchored } = observation;
  const handOver = handOverIn(observation);
  // Without a line of the application, the span is the only evidence.
  const where = yourPlaces(stack) ?? `${what} ${handle?.type ?? ''} ${bornAt(handle?.stack)}`;
  return [kind, anchored, where, handOver?.package ?? placeOf(handOver?.frame)].join('|');
}

/** The application's line, and the line that calls it if it is in a named function: a helper. */
function yourPlaces(stack: readonly Frame[]): string | undefined {
  const at = stack.findIndex((frame) => partyOf(frame.file) === 'application');
  const your = stack[at];
  if (!your) return undefined;
  const caller = stack[at + 1];
  const isHelper = your.fn !== undefined && caller && partyOf(caller.file) === 'application';
  return isHelper ? `${placeOf(your)} ${placeOf(caller)}` : placeOf(your);
}

function bornAt(stack: readonly Frame[] = []): string {
  return placeOf(yourFrame(stack) ?? stack[0]);
}

/** A bundle may consist of one line. */
const WIDE = 200;

function placeOf(frame: Frame | undefined): string {
  if (!frame) return '';
  const { file, line, column } = frame;
  return column > WIDE ? `${file}:${line}:${column}` : `${file}:${line}`;
}
