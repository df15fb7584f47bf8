/** The clock and timers of the sender; tests replace them. */
export interface Clock {
  /** Milliseconds since an arbitrary moment in the past; never decreases. */
  now(): number;
  /** Calls `fn` once, after `millis`. */
  setTimeout(fn: () => void, millis: number): Timer;
}

export interface Timer {
  /** Does not keep the process alive. */
  unref(): void;
  cancel(): void;
}

/** The clock of this process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout(fn, millis) {
    const timeout = setTimeout(fn, millis);
    return {
      unref: () => void timeout.unref(),
      cancel: () => clearTimeout(timeout),
    };
  },
};
