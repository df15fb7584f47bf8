import { fileURLToPath } from 'node:url';

import {
  captureStack as capture,
  restoreOfError,
  type CapturedStack,
} from '../../base/captured-stack.ts';
import type { Frame } from '../record.ts';

export type { CapturedStack } from '../../base/captured-stack.ts';

/** Some tracers have 40 frames between the server and the application. */
const MAX_FRAMES = 80;

/** Captures the current stack without the frames above `below`. Never throws. */
export function captureStack(below?: (...args: never[]) => unknown): CapturedStack | undefined {
  return capture(MAX_FRAMES, below);
}

/** Returns the frames of a stack that was not accessed yet, innermost first. Never throws. */
export function readFrames(
  captured: CapturedStack | undefined,
  most: number = MAX_FRAMES,
): Frame[] {
  if (captured === undefined) return [];
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')?.value as unknown;
  try {
    Error.prepareStackTrace = (_error, sites) => sites;
    const { stack } = captured;
    return Array.isArray(stack) ? (stack as NodeJS.CallSite[]).slice(0, most).map(frameOf) : [];
  } catch {
    return [];
  } finally {
    restoreOfError('prepareStackTrace', before);
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
