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
  if (typeof error === 'object' && error !== null) shownMessages.set(error, message ?? '');
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

/**
 * What was shown of errors' messages. An error that fails an operation often fails the request, too,
 * and must not show there what was kept out here. An entry goes with its error.
 */
const shownMessages = new WeakMap<object, string>();

/** How far the causes of an error are looked at. */
const MAX_CAUSES = 8;

/** The longest message that is shown of an error that no operation has failed with, in characters. */
const MAX_MESSAGE = 1000;

/** What may be shown of the message of an error: what was shown of it before, else all of it. */
export function messageShownOf(error: unknown): string | undefined {
  try {
    if (typeof error === 'string') return error.slice(0, MAX_MESSAGE);
    if (typeof error !== 'object' || error === null) return undefined;
    const { message } = error as Partial<Error>;
    const shown = shownBefore(error) ?? message;
    return typeof shown === 'string' ? shown.slice(0, MAX_MESSAGE) : undefined;
  } catch {
    return undefined;
  }
}

/** Of the error or of one that it wraps, whose message and values it may repeat. */
function shownBefore(error: object): string | undefined {
  let wrapped: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof wrapped === 'object' && wrapped; depth++) {
    const shown = shownMessages.get(wrapped);
    if (shown !== undefined) return shown;
    wrapped = (wrapped as Partial<Error>).cause;
  }
  return undefined;
}

/** The class of an error, else its type. Never throws. */
export function typeOf(error: unknown): string {
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
