import { fileURLToPath } from 'node:url';

import type { Frame } from '../record.ts';

const MAX_FRAMES = 30;

/** A stack that was captured and not yet read, which is the dear part. */
export interface CapturedStack {
  readonly stack?: unknown;
}

/**
 * Captures where we are, without the frames above `below`, which has to be on the stack. Never
 * throws.
 */
export function captureStack(below?: (...args: never[]) => unknown): CapturedStack | undefined {
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = MAX_FRAMES;
    const holder: CapturedStack = {};
    Error.captureStackTrace(holder, below);
    return holder;
  } catch {
    // Frozen intrinsics, or no stack left.
    return undefined;
  } finally {
    restore('stackTraceLimit', limit);
  }
}

/** The frames of a stack that nothing has looked at yet, innermost first. Never throws. */
export function readFrames(captured: CapturedStack | undefined): Frame[] {
  if (captured === undefined) return [];
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')?.value as unknown;
  try {
    Error.prepareStackTrace = (_error, sites) => sites;
    const { stack } = captured;
    return Array.isArray(stack) ? (stack as NodeJS.CallSite[]).map(frameOf) : [];
  } catch {
    return [];
  } finally {
    restore('prepareStackTrace', before);
  }
}

function restore(name: 'stackTraceLimit' | 'prepareStackTrace', value: unknown): void {
  try {
    if (value === undefined) delete (Error as unknown as Record<string, unknown>)[name];
    else (Error as unknown as Record<string, unknown>)[name] = value;
  } catch {
    // Frozen intrinsics: then it was not changed either.
  }
}

function frameOf(site: NodeJS.CallSite): Frame {
  const file = site.getFileName() ?? '';
  return {
    file: file.startsWith('file://') ? fileURLToPath(file) : file,
    line: site.getLineNumber() ?? 0,
    column: site.getColumnNumber() ?? 0,
    fn: site.getFunctionName() ?? undefined,
    isAsync: site.isAsync(),
  };
}
