import type { Undo } from '../../base/patch.ts';
import type { PatchableModule } from '../patched-modules.ts';

/**
 * A framework as this package sees it: its patches find the request of a handler, and give it the
 * route, the name of the handler and the errors. They make no spans.
 */
export interface FrameworkDefinition {
  /** The name in configuration, and the end of `clew/<name>`. */
  readonly name: string;
  readonly modules: readonly PatchableModule[];
  /** Follows what the framework publishes by itself; returns the undo. */
  follow?(): Undo;
}
