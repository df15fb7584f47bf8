import type { DrainLimits } from './sender-options.ts';

/*
 * The callers that wait for the queue to become empty: `forceFlush`, `shutdown`, the exit of the
 * process. Each waits for the spans that were queued when it began, and has its own limits.
 */

interface Drain {
  limits: DrainLimits;
  /** The last slice it waits for; later ones are sent, not waited for. */
  upTo: number;
  started: number;
  /** How long the collector has accepted nothing, in this thread's own time. */
  quiet: number;
  checked: number;
  /** Whether the collector accepted spans in its last response. */
  isAnswered: boolean;
  /** Attempts in a row that failed. */
  failures: number;
  resolve: () => void;
}

/**
 * A single failure may be an idle connection that was closed; after this many, the collector is
 * considered down.
 */
const FAILURES_IN_A_ROW = 3;
/**
 * The most that counts between two checks of the clock, which are 50 ms apart: on a busy machine
 * this thread may not get to run, which is not the collector's fault.
 */
const LONGEST_LOOK_MILLIS = 100;

export class PendingFlushes {
  #drains: Drain[] = [];

  get isActive(): boolean {
    return this.#drains.length > 0;
  }

  /** `isAnswered`: whether the collector accepted the last request it responded to. */
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

  /** Ends the waits that are complete and those whose limits are reached. */
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
  // At exit, a collector that accepts spans is given more time than a silent one.
  const patience = limits.atExit && isAnswered ? limits.totalMillis : limits.stallMillis;
  return quiet >= patience;
}
