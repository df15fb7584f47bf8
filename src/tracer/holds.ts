import { QUIET, type WorkOwner } from './owner.ts';

/** A stretch of the event loop in one owner's hands. */
export interface Hold {
  start: number;
  end: number;
  owner: WorkOwner | undefined;
  label: string;
}

/** Who held the loop, for how long within an interval. */
export interface Blame {
  label: string;
  millis: number;
  owner: WorkOwner | undefined;
}

/**
 * The last stretches that were long enough to be worth a name, in a ring: a new one overwrites the
 * oldest, and `forgotten` counts those.
 */
export class Holds {
  readonly shortest: number;
  readonly #max: number;
  readonly #holds: Hold[] = [];
  #next = 0;
  #forgotten = 0;

  constructor(shortestMillis: number, max: number) {
    this.shortest = shortestMillis;
    this.#max = max;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  /** Whether a stretch counts: long enough, and not our own work. */
  counts(hold: Hold): boolean {
    return hold.end - hold.start >= this.shortest && hold.owner !== QUIET;
  }

  add(hold: Hold): void {
    if (!this.counts(hold)) return;
    if (this.#holds.length < this.#max) {
      this.#holds.push(hold);
      return;
    }
    this.#holds[this.#next] = hold;
    this.#next = (this.#next + 1) % this.#max;
    this.#forgotten++;
  }

  /** Who but `self` held the loop longest between `start` and `end`; `current` has not ended. */
  blame(start: number, end: number, self: WorkOwner | undefined, current: Hold): Blame | undefined {
    const sums = new Map<WorkOwner | string, Blame>();
    for (const hold of this.#holds) this.#sum(sums, hold, start, end, self);
    if (this.counts(current)) this.#sum(sums, current, start, end, self);
    let worst: Blame | undefined;
    for (const sum of sums.values()) if (!worst || sum.millis > worst.millis) worst = sum;
    return worst;
  }

  /**
   * The stretches between `start` and `end`, cut to it and in their order; of more than `max` the
   * longest. `current` has not ended.
   */
  within(start: number, end: number, current: Hold, max: number): Hold[] {
    const found: Hold[] = [];
    for (const hold of [...this.#holds, ...(this.counts(current) ? [current] : [])]) {
      const [from, to] = [Math.max(hold.start, start), Math.min(hold.end, end)];
      if (to - from >= this.shortest) found.push({ ...hold, start: from, end: to });
    }
    const kept = found.toSorted((a, b) => b.end - b.start - (a.end - a.start)).slice(0, max);
    return kept.sort((a, b) => a.start - b.start);
  }

  #sum(
    sums: Map<WorkOwner | string, Blame>,
    hold: Hold,
    start: number,
    end: number,
    self: WorkOwner | undefined,
  ): void {
    const { owner } = hold;
    if (owner && owner === self) return;
    const millis = Math.min(hold.end, end) - Math.max(hold.start, start);
    if (millis < this.shortest) return;
    const sum = sums.get(owner ?? hold.label);
    if (sum) sum.millis += millis;
    else sums.set(owner ?? hold.label, { label: owner?.label ?? hold.label, millis, owner });
  }
}
