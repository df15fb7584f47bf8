import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';

/**
 * Calls `step`; what it throws goes no further, and each kind of it is reported once. The text of an
 * error may quote a message, so only that of the application's hooks and of OpenTelemetry's is shown.
 */
export function guard<Result>(what: string, step: () => Result): Result | undefined {
  try {
    return step();
  } catch (error) {
    const message = messageOf(error);
    sayOnce('error', `messaging:${what}:${message}`, `cannot ${what}: ${message}`);
    return undefined;
  }
}
