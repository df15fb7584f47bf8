import { channel } from 'node:diagnostics_channel';

/*
 * Notes from the parts of clew's own set-up to the doctor, which may be another copy of this
 * package. A note is published only if there is a subscriber, and does nothing otherwise.
 */

export const SETUP_NOTES = 'clew:setup';

/** A module that an instrumentation patches, in the shape that OpenTelemetry's own have. */
export interface NotedModule {
  /** The package. */
  readonly name: string;
  readonly supportedVersions: readonly string[];
  /** Set when the module was patched. */
  moduleExports?: unknown;
}

export type SetupNote =
  | { kind: 'modules'; instrumentation: string; modules: readonly NotedModule[] }
  /** A module that had to be replaced was loaded before. */
  | { kind: 'early'; instrumentation: string; package: string }
  | ExportNote;

/** Whether spans reach the collector. */
export interface ExportNote {
  kind: 'export';
  /** Where they are sent, without credentials and query. */
  target: string;
  /** Absent where the collector takes them again. */
  failure?: { reason: string; isAbsent: boolean; count: number };
}

const notes = channel(SETUP_NOTES);

export function noteSetup(note: SetupNote): void {
  if (notes.hasSubscribers) notes.publish(note);
}
