import { callKindAt } from './callee.ts';
import { partyOf, type ReadCall } from './stack-frames.ts';
import type { CountedObservation, Frame } from './record.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Returns the observation with its frames mapped to their sources: a bundle consists of many files,
 * including those of packages.
 */
export function located(seen: CountedObservation, surroundings: Surroundings): CountedObservation {
  const known = new Map<string, Frame>();
  const locate = (frame: Frame): Frame => {
    if (partyOf(frame.file) !== 'application') return frame;
    const key = `${frame.file}:${frame.line}:${frame.column}`;
    let source = known.get(key);
    if (!source) {
      const { file, line, column } = surroundings.original(frame);
      source = { file, line, column, isSource: true };
      known.set(key, source);
    }
    return { ...frame, ...source };
  };
  const { stack, birth, handle, origin } = seen;
  return {
    ...seen,
    stack: stack.map(locate),
    ...(birth && { birth: birth.map(locate) }),
    ...(handle && { handle: { ...handle, stack: handle.stack.map(locate) } }),
    ...(origin && { origin: { ...origin, stack: origin.stack.map(locate) } }),
  };
}

/** Reads from the sources how callers obtained the functions they call. */
export function callReader(surroundings: Surroundings): ReadCall {
  return (callee, { file, line, column }) => {
    const text = surroundings.source(file);
    return text === undefined ? undefined : callKindAt(text, line, column, callee.fn);
  };
}
