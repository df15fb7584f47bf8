import { relative } from 'node:path';

import { captureStack as capture, type CapturedStack } from '../base/captured-stack.ts';
import { OWN_FOLDERS } from '../base/own-files.ts';
import { workingFolder } from '../base/working-folder.ts';

export type { CapturedStack } from '../base/captured-stack.ts';

const MAX_FRAMES = 12;

/**
 * Captures the current stack without the frames above `below`, and at most `frames` of the others.
 * Never throws.
 */
export function captureStack(
  below: (...args: never[]) => unknown,
  frames: number = MAX_FRAMES + 8,
): CapturedStack | undefined {
  return capture(frames, below);
}

/** Returns the frames as text, innermost first, with paths relative to the working directory. */
export function formatStack(
  captured: CapturedStack | undefined,
  maxFrames: number = MAX_FRAMES,
): string[] | undefined {
  try {
    const stack = captured?.stack;
    const lines = typeof stack === 'string' ? stack.split('\n').slice(1) : [];
    const frames = lines
      .map((line) => line.trim().replace(/^at /, ''))
      .filter((frame) => !isOwnFrame(frame))
      .map(shorten);
    return frames.length > 0 ? frames.slice(0, maxFrames) : undefined;
  } catch {
    // `Error.prepareStackTrace` belongs to the application, which may throw in it.
    return undefined;
  }
}

/** Returns the most useful frame: the application's own line, else a library's, else Node's. */
export function creationLine(stack: readonly string[]): string | undefined {
  const outside = stack.filter((frame) => /:\d+:\d+\)?$/.test(frame) && !frame.includes('node:'));
  return outside.find((frame) => !frame.includes('node_modules')) ?? outside[0] ?? stack[0];
}

function isOwnFrame(frame: string): boolean {
  return (
    OWN_FOLDERS.some((folder) => frame.includes(folder)) ||
    /node:internal\/(async_hooks|async_local|process\/(task|promises)|promise)/.test(frame) ||
    /\bnew AsyncResource \(/.test(frame) ||
    /^<anonymous>$/.test(frame)
  );
}

function shorten(frame: string): string {
  return frame.replace(
    /(?:file:\/\/)?(\/[^()]*?)(:\d+:\d+\)?)$/,
    (_all, file: string, place: string) => {
      const path = relative(workingFolder(), file);
      return (path.startsWith('..') ? file : path) + place;
    },
  );
}
