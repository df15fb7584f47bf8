import type { ModuleExports } from './module-hooks.ts';
import type { Responses } from './operation.ts';
import type { Undo } from '../base/patch.ts';
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
export interface ClientModule {
  /** The package, or a file inside it as `package/path`. */
  readonly module: string;
  /** The supported versions as a semver range with an upper bound. */
  readonly versions: string;
  /**
   * Patches the classes it finds in `exports` and returns a function that undoes it, or `undefined`
   * if it knows none of them. The same classes may be passed more than once: see `claim`. A module
   * that is one function can only be patched with `replace`, which is not available for
   * `instrument(module)`.
   */
  patch(
    exports: ModuleExports,
    recorder: Recorder,
    replace?: (replacement: ModuleExports) => void,
  ): Undo | undefined;
}
