import type { Interval } from '../../viewer/trace-model.ts';

/*
 * Who held the event loop when, from all callbacks of a recording: stretches that do not overlap, in
 * order. A callback inside another one belongs to the outer one.
 */

interface Stretch {
  start: number;
  end: number;
  owner: number;
}

/** A time in which an owner was ready to run while others ran without a pause. Milliseconds. */
export interface LoopGap {
  start: number;
  end: number;
  /** Who ran longest in it, and for how long. */
  label: string;
  millis: number;
}

/** Between two callbacks Node does work of its own. */
const PAUSE_MILLIS = 0.1;
const SHORTEST_GAP_MILLIS = 0.2;

export class LoopTimeline {
  readonly #stretches: Stretch[] = [];
  readonly #byOwner: Stretch[][] = [];
  readonly #labels: string[];

  constructor(owners: readonly { label: string; slices: readonly Interval[] }[]) {
    this.#labels = owners.map(({ label }) => label);
    const all: Stretch[] = [];
    owners.forEach(({ slices }, owner) => {
      for (const [start, end] of slices) all.push({ start, end, owner });
      this.#byOwner.push([]);
    });
    all.sort((a, b) => a.start - b.start || b.end - a.end);
    for (const stretch of all) {
      const last = this.#stretches.at(-1);
      if (last && stretch.start < last.end) continue;
      this.#stretches.push(stretch);
      this.#byOwner[stretch.owner]?.push(stretch);
    }
  }

  /** How long an owner ran within a time. */
  runOf(owner: number, from: number, to: number): number {
    let sum = 0;
    for (const { start, end } of this.#byOwner[owner] ?? []) {
      sum += Math.max(0, Math.min(end, to) - Math.max(start, from));
    }
    return sum;
  }

  /** The waits for the loop of an owner within a time. */
  gapsOf(owner: number, from: number, to: number): LoopGap[] {
    const own = this.#byOwner[owner] ?? [];
    const within = own.filter(({ start }) => start >= from && start <= to);
    return this.gapsBefore(
      owner,
      within.map(({ start, end }): Interval => [start, end]),
      from,
    );
  }

  /** The waits before each of these callbacks, since the end of the one before it. */
  gapsBefore(owner: number, callbacks: readonly Interval[], from: number): LoopGap[] {
    const gaps: LoopGap[] = [];
    let since = from;
    for (const [start, end] of callbacks) {
      const gap = this.#gapBefore(owner, start, since);
      if (gap) gaps.push(gap);
      since = end;
    }
    return gaps;
  }

  #gapBefore(owner: number, callback: number, since: number): LoopGap | undefined {
    let start = callback;
    const millisOf = new Map<number, number>();
    for (let i = this.#lastBefore(callback); i >= 0; i--) {
      const stretch = this.#stretches[i] as Stretch;
      if (stretch.owner === owner || stretch.end < start - PAUSE_MILLIS || start <= since) break;
      start = Math.max(stretch.start, since);
      const millis = stretch.end - start;
      millisOf.set(stretch.owner, (millisOf.get(stretch.owner) ?? 0) + Math.max(0, millis));
    }
    if (callback - start < SHORTEST_GAP_MILLIS) return undefined;
    const [worst] = [...millisOf].sort((a, b) => b[1] - a[1]);
    if (!worst) return undefined;
    return { start, end: callback, label: this.#labels[worst[0]] ?? '', millis: worst[1] };
  }

  /** The place of the last stretch that began before a time. */
  #lastBefore(time: number): number {
    let [low, high] = [0, this.#stretches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#stretches[middle] as Stretch).start < time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
