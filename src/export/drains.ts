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
  progress: number;
  /** Attempts in a row that failed. */
  failures: number;
  resolve: () => void;
}

/** A single failure may be an idle connection that was closed; after these the collector is away. */
const FAILURES_IN_A_ROW = 3;

export class Drains {
  #drains: Drain[] = [];

  get isActive(): boolean {
    return this.#drains.length > 0;
  }

  begin(limits: DrainLimits, upTo: number, now: number): Promise<void> {
    return new Promise((resolve) => {
      this.#drains.push({ limits, upTo, started: now, progress: now, failures: 0, resolve });
    });
  }

  onAccepted(now: number): void {
    for (const drain of this.#drains) {
      drain.progress = now;
      drain.failures = 0;
    }
  }

  onFailure(): void {
    for (const drain of this.#drains) drain.failures++;
  }

  /** Ends those that have what they wait for, and those whose limits are reached. */
  check(now: number, oldestInMemory: number, isWaitingOnDisk: boolean): void {
    this.#drains = this.#drains.filter((drain) => {
      const { limits, upTo, started, progress, failures } = drain;
      const isEmpty = oldestInMemory > upTo && (limits.atExit || !isWaitingOnDisk);
      const isOver =
        now - progress >= limits.stallMillis ||
        now - started >= limits.totalMillis ||
        (failures >= FAILURES_IN_A_ROW && now - progress >= limits.failingMillis);
      if (isEmpty || isOver) drain.resolve();
      return !isEmpty && !isOver;
    });
  }

  endAll(): void {
    for (const drain of this.#drains.splice(0)) drain.resolve();
  }
}
