import type { ModuleExports } from './module-hooks.ts';
import type { Responses } from './operation.ts';
import type { Undo } from '../base/patch.ts';
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
export interface ClientModule {
  /** The package, or a file inside it as `package/path`. */
  readonly module: string;
  /** The supported versions as a semver range with an upper bound. */
  readonly versions: string;
  /**
   * Patches the classes it finds in `exports` and returns the undo; `undefined` where it knows
   * none of them. The same classes may come more than once: see `claim`. A module that is one
   * function can only be patched with `replace`, which is not there for `instrument(module)`.
   */
  patch(
    exports: ModuleExports,
    recorder: Recorder,
    replace?: (replacement: ModuleExports) => void,
  ): Undo | undefined;
}
