import { QUIET, type ResourceOwner } from './owner.ts';

/** A period in which one owner held the event loop. */
export interface Hold {
  start: number;
  end: number;
  owner: ResourceOwner | undefined;
  label: string;
}

/** Which work held the loop, and for how long within an interval. */
export interface Blame {
  label: string;
  millis: number;
  owner: ResourceOwner | undefined;
}

/**
 * The latest periods that were long enough to be reported, in a ring: a new one overwrites the
 * oldest, and `forgotten` counts the overwritten ones.
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

  /** Whether a period counts: it is long enough, and not clew's own work. */
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

  /**
   * Returns the work other than `self` that held the loop longest between `start` and `end`.
   * `current` has not ended.
   */
  blame(
    start: number,
    end: number,
    self: ResourceOwner | undefined,
    current: Hold,
  ): Blame | undefined {
    const sums = new Map<ResourceOwner | string, Blame>();
    for (const hold of this.#holds) this.#sum(sums, hold, start, end, self);
    if (this.counts(current)) this.#sum(sums, current, start, end, self);
    let worst: Blame | undefined;
    for (const sum of sums.values()) if (!worst || sum.millis > worst.millis) worst = sum;
    return worst;
  }

  /**
   * Returns the periods between `start` and `end`, clipped and in order; if there are more than
   * `max`, the longest ones. `current` has not ended.
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
    sums: Map<ResourceOwner | string, Blame>,
    hold: Hold,
    start: number,
    end: number,
    self: ResourceOwner | undefined,
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
