import { Holds, type Blame, type Hold } from './holds.ts';
import type { Mark, ResourceOwner } from './owner.ts';

/*
 * Measures which work runs on the event loop, and for how long, from `before` and `after` alone.
 *
 * At any moment the loop is either idle or busy for one owner (or for none that is known). The
 * clock keeps the sum of all busy time and each owner keeps its own sum, so the split of an
 * interval is the difference of two readings and needs no history. Only runs of at least
 * `holdMillis` are remembered one by one, in a ring, to name the work that held the loop.
 *
 * Promise continuations run after the `after` of the callback that resolved them, often without any
 * event. Such a gap is busy for as long as the loop was not idle. It is charged to the first owner
 * observed in it, or else to the owner whose callback ended last.
 */

export interface LoopClockOptions {
  /** Milliseconds, monotonic. */
  now: () => number;
  /** Milliseconds the event loop has been idle so far. */
  idle: () => number;
  /** The shortest run, in milliseconds, that counts as holding the loop. Default 5. */
  holdMillis?: number;
  /** How many such runs are remembered. Default 256. */
  maxHolds?: number;
  /** Whether a second clock runs in this process, which keeps its sums apart. Default false. */
  secondary?: boolean;
}

/** How the time of an interval was spent. The three parts add up to `totalMillis`. */
export interface Split {
  /** The whole interval: the sum of the three parts. */
  totalMillis: number;
  /** Time in which JavaScript of the owner itself ran. */
  runMillis: number;
  /** Time in which the loop was idle, so that nothing delayed the awaited event. */
  ioMillis: number;
  /** Time in which the loop was busy with other work: an upper bound of the delay caused by it. */
  loopMillis: number;
  /**
   * The work that held the loop longest in this interval; shorter runs than `holdMillis` do not
   * count.
   */
  blockedBy: Blame | undefined;
}

const MAX_DEPTH = 2000;
const SHORTEST_IDLE_MILLIS = 0.005;

export class LoopClock {
  readonly #now: () => number;
  readonly #idle: () => number;

  /** The sums per owner, if another clock writes those on the owners. */
  readonly #runs: WeakMap<ResourceOwner, number> | undefined;
  readonly #ids: number[] = [];
  readonly #owners: (ResourceOwner | undefined)[] = [];
  #owner: ResourceOwner | undefined;
  #since: number;
  #inGap = true;
  #idleSeen: number;
  #busy = 0;
  /** The owner served last inside the callback of a shared handle. */
  #lastNested: ResourceOwner | undefined;

  #holdStart: number;
  #holdLabel: string | undefined;
  readonly #holds: Holds;

  constructor(options: LoopClockOptions) {
    this.#now = options.now;
    this.#idle = options.idle;
    this.#holds = new Holds(options.holdMillis ?? 5, options.maxHolds ?? 256);
    this.#runs = options.secondary ? new WeakMap() : undefined;
    this.#since = this.#holdStart = this.#now();
    this.#idleSeen = this.#idle();
  }

  /** How many entries of the ring were overwritten. */
  get holdsForgotten(): number {
    return this.#holds.forgotten;
  }

  /** How many callbacks are nested at the moment. */
  get depth(): number {
    return this.#ids.length;
  }

  before(asyncId: number, owner: ResourceOwner | undefined): void {
    const now = this.#now();
    if (this.#inGap) this.#leaveGap(now, this.#owner);
    else this.#charge(now);
    // Work without a known owner is named callback by callback; the consecutive callbacks of an
    // owner count as one run.
    if (!owner && this.#ids.length === 0) this.#restartHold(now);
    // A missing `after` looks the same as deep recursion; either way the stack must stay bounded.
    if (this.#ids.length >= MAX_DEPTH) this.#clearStack();
    this.#ids.push(asyncId);
    this.#owners.push(this.#owner);
    this.#switch(owner, now);
  }

  /** `label` names a callback without an owner. It is called only if the callback held the loop. */
  after(asyncId: number, label?: () => string | undefined): void {
    const now = this.#now();
    if (this.#inGap) {
      // The hook was enabled inside this callback: there is no `before` to undo.
      this.#leaveGap(now, this.#owner);
      this.#enterGap();
      return;
    }
    this.#charge(now);
    const top = this.#ids.length - 1;
    const at = this.#ids[top] === asyncId ? top : this.#ids.lastIndexOf(asyncId);
    if (at === -1) return;
    if (!this.#owner && label && now - this.#holdStart >= this.#holds.shortest) {
      this.#holdLabel = label() ?? this.#holdLabel;
    }
    const ended = this.#owner;
    const outer = this.#owners[at];
    this.#ids.length = at;
    this.#owners.length = at;
    if (at > 0) {
      this.#switch(outer, now);
      this.#lastNested = ended ?? this.#lastNested;
      return;
    }
    // A shared socket's callback ends here after it called back into the request it served: what
    // runs next, in microtasks, is that request's.
    const heir = ended ?? this.#lastNested;
    this.#lastNested = undefined;
    this.#switch(heir, now);
    this.#enterGap();
  }

  /** An owner was observed running: in a gap, the time since the gap began is charged to it. */
  observe(owner: ResourceOwner | undefined): void {
    if (owner === this.#owner) return;
    if (!this.#inGap) {
      const now = this.#now();
      this.#charge(now);
      this.#switch(owner, now);
    } else if (owner) {
      this.#leaveGap(this.#now(), owner);
      this.#enterGap();
    }
  }

  /** Assigns the running callback, from its `before`, to the owner that was found in it. */
  reserve(owner: ResourceOwner): void {
    if (!this.#inGap) this.#switch(owner, this.#since);
    this.observe(owner);
  }

  mark(owner: ResourceOwner | undefined): Mark {
    const now = this.#settle();
    return { clock: this, at: now, busy: this.#busy, run: this.#runOf(owner) };
  }

  /** Returns how the time since `mark` was spent, from the view of `owner`. */
  since(mark: Mark, owner: ResourceOwner | undefined): Split {
    const now = this.#settle();
    const totalMillis = Math.max(0, now - mark.at);
    const busy = Math.min(totalMillis, Math.max(0, this.#busy - mark.busy));
    const run = Math.min(busy, Math.max(0, this.#runOf(owner) - mark.run));
    return {
      totalMillis,
      runMillis: run,
      ioMillis: totalMillis - busy,
      loopMillis: busy - run,
      blockedBy: this.#holds.blame(mark.at, now, owner, this.#holdUntil(now)),
    };
  }

  /**
   * Returns the periods since `mark` in which any work held the loop, including the owner of the
   * mark.
   */
  holdsSince(mark: Mark, max: number): Hold[] {
    const now = this.#settle();
    return this.#holds.within(mark.at, now, this.#holdUntil(now), max);
  }

  #settle(): number {
    const now = this.#now();
    if (this.#inGap) {
      this.#leaveGap(now, this.#owner);
      this.#enterGap();
    } else this.#charge(now);
    return now;
  }

  #charge(now: number): void {
    const spent = now - this.#since;
    this.#since = now;
    if (spent <= 0) return;
    this.#add(this.#owner, spent);
  }

  #add(owner: ResourceOwner | undefined, spent: number): void {
    this.#busy += spent;
    if (!owner) return;
    if (this.#runs) this.#runs.set(owner, this.#runOf(owner) + spent);
    else owner.runMillis += spent;
  }

  #runOf(owner: ResourceOwner | undefined): number {
    if (!owner) return 0;
    return this.#runs ? (this.#runs.get(owner) ?? 0) : owner.runMillis;
  }

  /** Ends a gap: the part that was not idle is charged to `owner`. */
  #leaveGap(now: number, owner: ResourceOwner | undefined): void {
    // One tick follows another within a microsecond: the loop was not idle in between. If it was,
    // the next reading includes that.
    let idle = 0;
    if (now - this.#since >= SHORTEST_IDLE_MILLIS) {
      const idleNow = this.#idle();
      idle = idleNow - this.#idleSeen;
      this.#idleSeen = idleNow;
    }
    const spent = Math.max(0, now - this.#since - Math.max(0, idle));
    this.#inGap = false;
    // Microtasks come first and the poll after them, so the busy part lies at the gap's start.
    if (owner !== this.#owner) this.#switch(owner, this.#since);
    this.#add(owner, spent);
    this.#since = now;
    if (idle > 0) {
      this.#endHold(Math.max(this.#holdStart, now - idle));
      this.#holdStart = now;
    }
  }

  #restartHold(now: number): void {
    this.#endHold(now);
    this.#holdStart = now;
  }

  /** The loop is never idle inside a callback, so the reading at its start is still valid. */
  #enterGap(): void {
    this.#inGap = true;
  }

  #switch(owner: ResourceOwner | undefined, now: number): void {
    if (owner === this.#owner) return;
    this.#restartHold(now);
    this.#owner = owner;
  }

  #endHold(end: number): void {
    // Nearly every run is too short to count; no object is created for those.
    if (end - this.#holdStart >= this.#holds.shortest) this.#holds.add(this.#holdUntil(end));
    this.#holdLabel = undefined;
  }

  #holdUntil(end: number): Hold {
    const label = this.#holdLabel ?? 'a callback of no request';
    return { start: this.#holdStart, end, owner: this.#owner, label };
  }

  #clearStack(): void {
    this.#ids.length = 0;
    this.#owners.length = 0;
  }
}
