import type { Place } from './finding.ts';
import type { Frame } from './record.ts';
import type { Lookup } from './repair.ts';

/** Where the findings are explained, one section each: a file of this package. */
export const DOCS = 'clew/docs/findings.md';

/** What a diagnosis may ask about the outside: source lines, source maps, exports. */
export interface Surroundings extends Lookup {
  /** The place in the source for a place in the file that runs. */
  original(frame: Frame): Place;
}

/** Surroundings that know nothing: a diagnosis from the records alone. */
export const BARE_SURROUNDINGS: Surroundings = {
  original: ({ file, line, column, fn }) =>
    fn === undefined ? { file, line, column } : { file, line, column, function: fn },
  sourceLine: () => undefined,
  source: () => undefined,
  pathsTo: () => [],
  mentions: () => true,
};
