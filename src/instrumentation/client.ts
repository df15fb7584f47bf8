import type { LibraryModule } from './library-instrumentation.ts';
import type { Responses } from './operation.ts';
import type { Recorder } from './recorder/recorder.ts';

/** A client library as this package sees it: what `clients/<name>/index.ts` exports. */
export interface ClientDefinition {
  /** The name in configuration, and the end of the instrumentation scope `clew/<name>`. */
  readonly name: string;
  readonly responses: Responses;
  /**
   * Whether an operation has a span only inside another, unless the configuration says otherwise:
   * the default of OpenTelemetry's own instrumentation of the library, where there is one.
   */
  readonly requireParent?: boolean;
  readonly modules: readonly ClientModule[];
}

/** One module of the library. */
export type ClientModule = LibraryModule<Recorder>;
