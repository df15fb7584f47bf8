/** Time, as far as the sender has to do with it: a test gives it one that it turns by itself. */
export interface Clock {
  /** Milliseconds since some moment in the past; never goes back. */
  now(): number;
  /** Calls `fn` once, after `millis`. */
  setTimeout(fn: () => void, millis: number): Timer;
}

export interface Timer {
  /** Lets the process end before. */
  unref(): void;
  cancel(): void;
}

/** The time of this process. */
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
