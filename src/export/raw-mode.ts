import { isatty, ReadStream } from 'node:tty';

/** Restores the mode of terminals that this process put into raw mode. Never throws. */
export function leaveRawMode(): void {
  try {
    for (const stream of openStreams()) {
      if (stream instanceof ReadStream && stream.isRaw) stream.setRawMode(false);
    }
  } catch {
    // Nothing to restore on a terminal that is gone.
  }
}

function openStreams(): unknown[] {
  const { _getActiveHandles: handles } = process as { _getActiveHandles?: () => unknown[] };
  // Reading `process.stdin` opens it if it was not used yet; a paused stream is not an active
  // handle.
  return [...(isatty(0) ? [process.stdin] : []), ...(handles?.call(process) ?? [])];
}
