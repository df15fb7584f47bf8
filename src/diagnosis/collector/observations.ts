import { CauseBook } from '../cause-book.ts';
import { certaintyOf } from '../certainty.ts';
import { nameOf } from '../finding-name.ts';
import type { FindingName } from '../finding.ts';
import type { CountedObservation, LossKind, Observation, OriginRecord } from '../record.ts';
import { handOverIn, type HandOver } from '../stack-frames.ts';
import { Births } from './births.ts';
import { Budget } from './budget.ts';
import { originRecord, type Origin } from './context-origins.ts';
import { handleRecord } from './handles.ts';
import { captureStack, readFrames } from './stack.ts';
import type { Handle } from './work.ts';

/** What is known of a loss before its stack is read. */
export type Seen = Partial<Observation> & Pick<Observation, 'kind' | 'what'>;
/** The function below which the stack of a loss begins. */
export type Below = (...args: never[]) => unknown;

export interface ObservationsOptions {
  /** Keeps no further stacks for losses that the stack does not explain. */
  isLive: boolean;
  /** Whether spans of this name have a parent elsewhere. */
  hasParents(name: string): boolean;
  /** Returns where the active context was activated. */
  origin(): Origin | undefined;
}

const MAX_KEYS = 1000;
const STACKS_PER_SECOND = 100;
/** Losses that are detected while the wrong context is active. */
const IN_A_CONTEXT: ReadonlySet<LossKind> = new Set(['lost', 'mixed', 'stale']);
/** More than one cause may look the same without its stack. */
const SEVERAL = Symbol('several');

/**
 * The losses so far, by cause. Adds to each observation its stack and what is known of its async
 * resource. Stacks cost time, so their number in a second is limited: an observation beyond that
 * counts for the cause that looks like it.
 */
export class Observations {
  readonly #options: ObservationsOptions;
  readonly #book = new CauseBook();
  readonly #births = new Births();
  readonly #budget = new Budget(STACKS_PER_SECOND);
  /** The causes to count if a stack would cost too much, by their keys without a stack. */
  readonly #known = new Map<string, string | typeof SEVERAL>();
  /** The names of findings by cause; as many as there are causes. */
  readonly #findingNames = new Map<string, FindingName | undefined>();

  constructor(options: ObservationsOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#births.stop();
  }

  entries(): CountedObservation[] {
    return this.#book.entries();
  }

  get dropped(): number {
    return this.#book.dropped;
  }

  /** Whether another stack may be captured in this second. */
  mayCapture(): boolean {
    return this.#budget.take();
  }

  /** Adds an observation. Returns the name of its finding, if it is one. */
  add(seen: Seen, name: string, handle?: Handle, below?: Below): FindingName | undefined {
    const rough = `${seen.kind} ${name} ${handle?.asyncId ?? ''}`;
    const { owner, spans = [] } = seen;
    const isRead = seen.stack !== undefined;
    if (!isRead && !this.#budget.take()) {
      const cause = this.#known.get(rough);
      if (cause !== undefined && cause !== SEVERAL) {
        this.#book.again(cause, { owner, spans });
        return this.#findingNames.get(cause);
      }
      this.#book.skip();
      return seen.completes === false ? undefined : nameOf({ ...seen, handle }, undefined);
    }
    const stack = seen.stack ?? readFrames(captureStack(below));
    const record = handleRecord(handle);
    const observation: Observation = {
      anchored: false,
      completes: true,
      inFlight: 0,
      parentedElsewhere: this.#options.hasParents(seen.what),
      ...seen,
      stack,
      spans,
      handle: record,
      origin: seen.origin ?? (isRead ? undefined : this.#originOf(seen.kind)),
      birth: below && this.#births.here(),
    };
    const handOver = handOverIn(observation);
    const by = handOver?.by;
    if (seen.anchored && by !== 'application' && !this.#options.isLive)
      this.#births.look(by === 'package');
    const findingName = isSeen(observation, handOver) ? nameOf(observation, handOver) : undefined;
    const cause = this.#book.add(observation);
    if (cause === undefined) return findingName;
    this.#findingNames.set(cause, findingName);
    if (this.#known.size >= MAX_KEYS) this.#known.clear();
    const before = this.#known.get(rough);
    this.#known.set(rough, before === undefined || before === cause ? cause : SEVERAL);
    return findingName;
  }

  #originOf(kind: LossKind): OriginRecord | undefined {
    return IN_A_CONTEXT.has(kind) ? originRecord(this.#options.origin()) : undefined;
  }
}

/**
 * Whether the evidence is enough for a finding; for a touched anchor, for more than a possible one.
 */
export function isSeen(seen: Observation, handOver: HandOver | undefined): boolean {
  const certainty = certaintyOf({ ...seen, count: 1, brokenSpans: 0, owners: {} }, handOver);
  return certainty !== undefined && !(seen.anchored && certainty === 'possible');
}
