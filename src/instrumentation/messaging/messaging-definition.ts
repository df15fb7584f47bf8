import type { ModuleExports } from '../module-hooks.ts';
import type { Undo } from '../../base/patch.ts';
import type { MessagingRecorder } from './messaging-recorder.ts';

/** A messaging library as this package sees it: what `messaging/<name>/index.ts` exports. */
export interface MessagingDefinition {
  /** The name in configuration, and the end of the instrumentation scope `clew/<name>`. */
  readonly name: string;
  readonly modules: readonly MessagingModule[];
  /** Packages whose callers it keeps by itself: their repair rules are for applications without it. */
  readonly inPlaceOfRules?: readonly string[];
}

/** One module of the library. */
export interface MessagingModule {
  /** The package, or a file inside it as `package/path`. */
  readonly module: string;
  /** The supported versions as a semver range with an upper bound. */
  readonly versions: string;
  /**
   * Patches the classes it finds in `exports` and returns the undo; `undefined` where it knows none of
   * them. The same classes may come more than once: see `claim`.
   */
  patch(
    exports: ModuleExports,
    recorder: MessagingRecorder,
    replace?: (replacement: ModuleExports) => void,
  ): Undo | undefined;
}
