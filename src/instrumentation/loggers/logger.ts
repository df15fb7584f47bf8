import type { ModuleExports } from '../module-hooks.ts';
import type { Undo } from '../../base/patch.ts';

/** Names and values to be added to a line that is being logged; `undefined` for none. */
export type ReadFields = () => readonly [string, string][] | undefined;

/** A logging library as this package sees it. */
export interface LoggerDefinition {
  /** The name in configuration, and the end of `clew/<name>`. */
  readonly name: string;
  readonly modules: readonly LoggerModule[];
}

/** One module of the library. */
export interface LoggerModule {
  readonly module: string;
  /** The supported versions as a semver range with an upper bound. */
  readonly versions: string;
  /** Has the lines of every logger made from `exports` get the fields; returns the undo. */
  patch(exports: ModuleExports, read: ReadFields): Undo | undefined;
}
