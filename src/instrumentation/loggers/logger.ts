import type { LibraryModule } from '../library-instrumentation.ts';
import type { ReadFields } from './log-fields.ts';

/** A logging library as this package sees it. */
export interface LoggerDefinition {
  /** The name in configuration, and the end of `clew/<name>`. */
  readonly name: string;
  readonly modules: readonly LibraryModule<ReadFields>[];
}
