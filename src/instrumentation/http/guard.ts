import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';

/** Calls `step`; what it throws is reported once and goes no further. */
export function guard<Result>(what: string, step: () => Result): Result | undefined {
  try {
    return step();
  } catch (error) {
    const message = messageOf(error);
    sayOnce('error', `http:${what}:${message}`, `cannot ${what}: ${message}`);
    return undefined;
  }
}
