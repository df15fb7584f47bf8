/** A stack that was captured and not yet read, which is the dear part. */
export interface CapturedStack {
  /** Text, or what the `Error.prepareStackTrace` that is set when it is first read makes of it. */
  readonly stack?: unknown;
}

/**
 * Captures where we are: at most `frames` frames, without those above `below`, which has to be on the
 * stack. Never throws.
 */
export function captureStack(
  frames: number,
  below?: (...args: never[]) => unknown,
): CapturedStack | undefined {
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = frames;
    const holder: CapturedStack = {};
    Error.captureStackTrace(holder, below);
    return holder;
  } catch {
    // Frozen intrinsics, or no stack left.
    return undefined;
  } finally {
    restoreOfError('stackTraceLimit', limit);
  }
}

/** Sets a property of `Error` back to what it was; one that was not there is deleted. */
export function restoreOfError(
  name: 'stackTraceLimit' | 'prepareStackTrace',
  value: unknown,
): void {
  try {
    if (value === undefined) delete (Error as unknown as Record<string, unknown>)[name];
    else (Error as unknown as Record<string, unknown>)[name] = value;
  } catch {
    // Frozen intrinsics: then it was not changed either.
  }
}
