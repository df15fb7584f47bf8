import { isatty, ReadStream } from 'node:tty';

/** Gives terminals that this process put into raw mode back as they were; never throws. */
export function leaveRawMode(): void {
  try {
    for (const stream of openStreams()) {
      if (stream instanceof ReadStream && stream.isRaw) stream.setRawMode(false);
    }
  } catch {
    // A terminal that is gone needs nothing.
  }
}

function openStreams(): unknown[] {
  const { _getActiveHandles: handles } = process as { _getActiveHandles?: () => unknown[] };
  // `process.stdin` opens it where it was not used; a paused one is no active handle.
  return [...(isatty(0) ? [process.stdin] : []), ...(handles?.call(process) ?? [])];
}
