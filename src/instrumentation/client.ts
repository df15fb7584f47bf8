import type { LibraryModule } from './library-instrumentation.ts';
import type { Responses } from './operation.ts';
import type { Recorder } from './recorder/recorder.ts';

/** The definition of a client library, exported by `clients/<name>/index.ts`. */
export interface ClientDefinition {
  /** The name in configuration, and the end of the instrumentation scope `clew/<name>`. */
  readonly name: string;
  readonly responses: Responses;
  /**
   * The default of `requireParent`: that of OpenTelemetry's own instrumentation of the library, if
   * there is one.
   */
  readonly requireParent?: boolean;
  readonly modules: readonly ClientModule[];
}

/** One module of the library. */
export type ClientModule = LibraryModule<Recorder>;
