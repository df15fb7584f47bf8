import type { LibraryModule } from '../library-instrumentation.ts';

/** Names and values to be added to a line that is being logged; `undefined` for none. */
export type ReadFields = () => readonly [string, string][] | undefined;

/** A logging library as this package sees it. */
export interface LoggerDefinition {
  /** The name in configuration, and the end of `clew/<name>`. */
  readonly name: string;
  readonly modules: readonly LibraryModule<ReadFields>[];
}
