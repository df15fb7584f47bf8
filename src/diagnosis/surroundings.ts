import type { Place } from './finding.ts';
import type { Frame } from './record.ts';
import type { Lookup } from './repair.ts';

/** The file of this package that explains the findings, one section each. */
export const DOCS = 'clew/docs/findings.md';

/** What a diagnosis needs to know about the environment: source lines, source maps, exports. */
export interface Surroundings extends Lookup {
  /** Returns the place in the source for a place in the running file. */
  original(frame: Frame): Place;
}

/** Surroundings without any data: for a diagnosis from the records alone. */
export const BARE_SURROUNDINGS: Surroundings = {
  original: ({ file, line, column, fn }) =>
    fn === undefined ? { file, line, column } : { file, line, column, function: fn },
  sourceLine: () => undefined,
  source: () => undefined,
  pathsTo: () => [],
  mentions: () => true,
};
