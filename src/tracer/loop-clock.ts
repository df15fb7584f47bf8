import { Holds, type Blame, type Hold } from './holds.ts';
import type { Mark, WorkOwner } from './owner.ts';

/*
 * Who runs on the event loop, and for how long, from nothing but before/after.
 *
 * At any moment the loop is idle or it is busy for one owner (or for nobody known). The clock keeps
 * a sum of all busy time and each owner keeps a sum of its own, so the split of an interval is the
 * difference of two readings and costs no history. Only stretches of at least `holdMillis` are
 * remembered one by one, in a ring, to name who held the loop.
 *
 * Promise continuations run after the `after` of the callback that resolved them, where no event
 * need tell of them. Such a gap is busy for as long as the loop was not idle; it is charged to the
 * owner that is first observed in it, else to the owner whose callback ended last.
 */

export interface LoopClockOptions {
  /** Milliseconds, monotonic. */
  now: () => number;
  /** Milliseconds the event loop has been idle so far. */
  idle: () => number;
  /** The shortest stretch that counts as holding the loop. Default 5. */
  holdMillis?: number;
  /** How many such stretches are remembered. Default 256. */
  maxHolds?: number;
  /** Whether a second clock runs in this process, which keeps its sums apart. Default false. */
  secondary?: boolean;
}

/** Where the time of an interval went; the three parts add up to `totalMillis`. */
export interface Split {
  /** The whole interval: the sum of the other three. */
  totalMillis: number;
  /** JavaScript of the owner itself. */
  runMillis: number;
  /** The loop was idle: nothing could have delayed the event that was waited for. */
  ioMillis: number;
  /** The loop was busy with others: an upper bound of the delay they caused. */
  loopMillis: number;
  /** Who held the loop longest in the interval, in stretches that count. */
  blockedBy: Blame | undefined;
}

const MAX_DEPTH = 2000;
const SHORTEST_IDLE_MILLIS = 0.005;

export class LoopClock {
  readonly #now: () => number;
  readonly #idle: () => number;

  /** The sums of owners, where another clock writes the ones on the owners. */
  readonly #runs: WeakMap<WorkOwner, number> | undefined;
  readonly #ids: number[] = [];
  readonly #owners: (WorkOwner | undefined)[] = [];
  #owner: WorkOwner | undefined;
  #since: number;
  #inGap = true;
  #idleSeen: number;
  #busy = 0;
  /** The owner served last inside the callback of a shared handle. */
  #lastNested: WorkOwner | undefined;

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

  /** How many stretches were overwritten in the ring. */
  get holdsForgotten(): number {
    return this.#holds.forgotten;
  }

  /** How many callbacks are nested at the moment. */
  get depth(): number {
    return this.#ids.length;
  }

  before(asyncId: number, owner: WorkOwner | undefined): void {
    const now = this.#now();
    if (this.#inGap) this.#leaveGap(now, this.#owner);
    else this.#charge(now);
    // Work of nobody known is named callback by callback; an owner's callbacks are one stretch.
    if (!owner && this.#ids.length === 0) this.#restartHold(now);
    // Lost `after`s cannot be told from deep recursion; either way the stack must stay bounded.
    if (this.#ids.length >= MAX_DEPTH) this.#clearStack();
    this.#ids.push(asyncId);
    this.#owners.push(this.#owner);
    this.#switch(owner, now);
  }

  /** `label` names a callback that has no owner, and is asked for only where it held the loop. */
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

  /** Somebody was seen running: in a gap the time since it began is theirs. */
  observe(owner: WorkOwner | undefined): void {
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

  /** Gives the callback that is running, from its `before`, to the owner that was found in it. */
  claim(owner: WorkOwner): void {
    if (!this.#inGap) this.#switch(owner, this.#since);
    this.observe(owner);
  }

  mark(owner: WorkOwner | undefined): Mark {
    const now = this.#settle();
    return { clock: this, at: now, busy: this.#busy, run: this.#runOf(owner) };
  }

  /** The split of the time since `mark`, as seen by `owner`. */
  since(mark: Mark, owner: WorkOwner | undefined): Split {
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

  /** The stretches since `mark` in which somebody held the loop, the owner of the mark among them. */
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

  #add(owner: WorkOwner | undefined, spent: number): void {
    this.#busy += spent;
    if (!owner) return;
    if (this.#runs) this.#runs.set(owner, this.#runOf(owner) + spent);
    else owner.runMillis += spent;
  }

  #runOf(owner: WorkOwner | undefined): number {
    if (!owner) return 0;
    return this.#runs ? (this.#runs.get(owner) ?? 0) : owner.runMillis;
  }

  /** Ends a gap: what of it was not idle is charged to `owner`. */
  #leaveGap(now: number, owner: WorkOwner | undefined): void {
    // One tick follows another within a microsecond: the loop was not idle between them. Should it
    // have been, the next reading tells.
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

  /** The loop is never idle inside a callback, so what was read at its start still holds. */
  #enterGap(): void {
    this.#inGap = true;
  }

  #switch(owner: WorkOwner | undefined, now: number): void {
    if (owner === this.#owner) return;
    this.#restartHold(now);
    this.#owner = owner;
  }

  #endHold(end: number): void {
    // Nearly every stretch is too short: nothing is made for those.
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
