import type { Attributes, Span } from '@opentelemetry/api';
import {
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
} from '@opentelemetry/semantic-conventions';

/** As many as V8 keeps unless told, and more for errors that say where they were asked for. */
const MAX_FRAMES = 50;
/** The longest frame that is shown, in characters. */
const MAX_FRAME = 500;
/** A frame ends with a place: a line of a message that looks like one must look very much like it. */
const FRAME = /^ {2,}at \S.*(?::\d+:\d+\)?|\((?:<anonymous>|native|index \d+)\))$/;

/**
 * Records `error` as an event of `span`, by OpenTelemetry's conventions for exceptions on spans.
 *
 * `message` is what may be shown of the error's own, without values; with none the event has the type
 * and the stack. Of the stack only frames are shown: its first lines repeat the message.
 */
export function addExceptionEvent(span: Span, error: unknown, message?: string): void {
  if (!span.isRecording()) return;
  const type = typeOf(error);
  const attributes: Attributes = { [ATTR_EXCEPTION_TYPE]: type };
  if (message) attributes[ATTR_EXCEPTION_MESSAGE] = message;
  const frames = framesOf(error);
  if (frames.length > 0) {
    const first = message ? `${type}: ${message}` : type;
    attributes[ATTR_EXCEPTION_STACKTRACE] = [first, ...frames].join('\n');
  }
  span.addEvent('exception', attributes);
}

function typeOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return typeof error;
    return error.constructor.name || error.name || 'Error';
  } catch {
    return 'Error';
  }
}

/** The frames of an error's stack, and nothing of its message, which may have lines that look like them. */
function framesOf(error: unknown): string[] {
  try {
    const { stack, message } = error as Partial<Error>;
    // Reading it may run `Error.prepareStackTrace`, which is the application's.
    if (typeof stack !== 'string') return [];
    const at = typeof message === 'string' && message !== '' ? stack.indexOf(message) : -1;
    const below = at === -1 ? trailingFrames(stack) : stack.slice(at + (message?.length ?? 0));
    return below
      .split('\n')
      .filter((line) => FRAME.test(line))
      .slice(0, MAX_FRAMES)
      .map((line) => line.slice(0, MAX_FRAME));
  } catch {
    return [];
  }
}

/** Where the message was changed after the stack was made, only the last lines are surely frames. */
function trailingFrames(stack: string): string {
  const lines = stack.split('\n');
  let from = lines.length;
  while (from > 0 && FRAME.test(lines[from - 1] ?? '')) from--;
  return lines.slice(from).join('\n');
}
