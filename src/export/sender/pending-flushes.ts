import type { DrainLimits } from './sender-options.ts';

/*
 * Those who wait for the queue to become empty: `forceFlush`, `shutdown`, the end of the process.
 * Each waits for what had come in when it began, and gives up by limits of its own.
 */

interface Drain {
  limits: DrainLimits;
  /** The last slice it waits for; later ones are sent, not waited for. */
  upTo: number;
  started: number;
  /** How long the collector has taken nothing, by this thread's own time. */
  quiet: number;
  checked: number;
  /** Whether the collector's last word was that it takes spans. */
  isAnswered: boolean;
  /** Attempts in a row that failed. */
  failures: number;
  resolve: () => void;
}

/** A single failure may be an idle connection that was closed; after these the collector is away. */
const FAILURES_IN_A_ROW = 3;
/**
 * The most that counts between two looks at the clock, which are 50 ms apart: on a busy machine
 * this thread does not get to run, and the collector is not to blame for that.
 */
const LONGEST_LOOK_MILLIS = 100;

export class PendingFlushes {
  #drains: Drain[] = [];

  get isActive(): boolean {
    return this.#drains.length > 0;
  }

  /** `isAnswered` says whether the collector took the last request it answered. */
  begin(limits: DrainLimits, upTo: number, now: number, isAnswered: boolean): Promise<void> {
    return new Promise((resolve) => {
      const clock = { started: now, quiet: 0, checked: now };
      this.#drains.push({ limits, upTo, ...clock, isAnswered, failures: 0, resolve });
    });
  }

  /** The collector has connected, or read a request. */
  onProgress(): void {
    for (const drain of this.#drains) drain.quiet = 0;
  }

  onAccepted(): void {
    this.onProgress();
    for (const drain of this.#drains) {
      drain.isAnswered = true;
      drain.failures = 0;
    }
  }

  onFailure(): void {
    for (const drain of this.#drains) {
      drain.isAnswered = false;
      drain.failures++;
    }
  }

  /** Ends those that have what they wait for, and those whose limits are reached. */
  check(now: number, oldestInMemory: number, isWaitingOnDisk: boolean): void {
    this.#drains = this.#drains.filter((drain) => {
      const { limits, upTo, started } = drain;
      drain.quiet += Math.min(now - drain.checked, LONGEST_LOOK_MILLIS);
      drain.checked = now;
      const isEmpty = oldestInMemory > upTo && (limits.atExit || !isWaitingOnDisk);
      const isOver = isStalled(drain) || (!limits.atExit && now - started >= limits.totalMillis);
      if (isEmpty || isOver) drain.resolve();
      return !isEmpty && !isOver;
    });
  }

  endAll(): void {
    for (const drain of this.#drains.splice(0)) drain.resolve();
  }
}

function isStalled({ limits, quiet, isAnswered, failures }: Drain): boolean {
  if (failures >= FAILURES_IN_A_ROW && quiet >= limits.failingMillis) return true;
  // At the end of a process, a collector that takes spans is waited for longer than a silent one.
  const patience = limits.atExit && isAnswered ? limits.totalMillis : limits.stallMillis;
  return quiet >= patience;
}
