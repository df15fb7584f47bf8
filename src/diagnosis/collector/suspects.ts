import { performance } from 'node:perf_hooks';

import type { Observation } from '../record.ts';
import { originRecord, type Origin } from './context-origins.ts';
import { handleRecord } from './handles.ts';
import type { SpanEvent } from './span-event.ts';
import { captureStack, readFrames } from './stack.ts';
import type { Suspect, Turn } from './work.ts';

const MAX_SUSPECTS = 500;
const MAX_PER_TURN = 8;

export interface SuspectsOptions {
  /** Whether the budget allows another stack. */
  captures(): boolean;
  /** Returns where the active context was activated. */
  origin(): Origin | undefined;
  hasParents(name: string): boolean;
  /** No anchor has identified its request, and none is expected any more. */
  settled(seen: Observation, suspect: Suspect): void;
  /** If set, each is decided when it begins. */
  judge: ((seen: Observation, suspect: Suspect) => void) | undefined;
}

/**
 * Keeps spans without a parent whose request no anchor has identified; the oldest are dropped
 * first.
 */
export class Suspects {
  readonly #options: SuspectsOptions;
  readonly #waiting: Suspect[] = [];

  constructor(options: SuspectsOptions) {
    this.#options = options;
  }

  add({ name, key }: SpanEvent, turn: Turn, inFlight: number): void {
    const suspect: Suspect = {
      name,
      key,
      captured: this.#options.captures() ? captureStack() : undefined,
      origin: this.#options.origin(),
      frames: undefined,
      at: performance.now(),
      turn,
      inFlight,
      isJudged: false,
      resolved: false,
    };
    this.#options.judge?.(this.#observationOf(suspect), suspect);
    if ((turn.suspects ??= []).length < MAX_PER_TURN) turn.suspects.push(suspect);
    this.#waiting.push(suspect);
    this.settle(MAX_SUSPECTS);
  }

  /** Drops all but `keep`. */
  settle(keep: number): void {
    while (this.#waiting.length > keep) {
      const suspect = this.#waiting.shift() as Suspect;
      if (suspect.resolved) continue;
      suspect.resolved = true;
      this.#options.settled(this.#observationOf(suspect), suspect);
    }
  }

  #observationOf(suspect: Suspect): Observation {
    const { name, captured, turn, inFlight } = suspect;
    // A stack can only be read as frames the first time it is accessed.
    suspect.frames ??= readFrames(captured);
    return {
      kind: 'lost',
      what: name,
      anchored: false,
      completes: true,
      stack: suspect.frames,
      handle: handleRecord(turn.handle),
      origin: originRecord(suspect.origin, suspect.at),
      inFlight,
      parentedElsewhere: this.#options.hasParents(name),
      spans: [name],
    };
  }
}

/** The suspects of a turn and of its ancestors; each is resolved once. */
export function takeSuspects(turn: Turn | undefined): Suspect[] {
  const taken: Suspect[] = [];
  for (let next = turn; next; next = next.handle?.bornDuring) {
    for (const suspect of next.suspects ?? []) {
      if (!suspect.resolved) taken.push(suspect);
      suspect.resolved = true;
    }
  }
  return taken;
}
