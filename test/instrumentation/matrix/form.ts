import type { ServiceName } from '../../support/services.ts';

/**
 * Says where the user's code runs. Every callback, listener and continuation of a form calls it.
 */
export type Note = (place: string) => void;

/** One way to call a client, as an application would write it. */
export interface Form<Target> {
  name: string;
  /** Does the whole operation and resolves when its last event has been seen. */
  run(target: Target, note: Note): Promise<unknown>;
  /** How many logical operations this is: one, unless it says so. */
  operations?: number;
  /** Why a callback of it is never called, if so. */
  forgets?: string;
  /** Why a span of it has no `db.query.text`, if so. */
  textless?: string;
}

/** Where forms are tried: a connection, a pool of one, whatever three callers share. */
export interface Setting<Target> {
  name: string;
  open(url: string): Promise<{ target: Target; close(): Promise<unknown> }>;
  forms: Form<Target>[];
}

/** All the forms of a client. */
export interface FormSuite {
  /** The name in `getInstrumentations`. */
  client: string;
  /**
   * For what is not found by its name: a version under an alias, a module that was imported before.
   * `instrument` is that of the instrumentation.
   */
  instrument?(instrument: (exports: unknown) => void): void;
  /** Why no span of the client has a `db.query.text`, if so. */
  textless?: string;
  /** The server it needs; in-process databases need none. */
  service?: ServiceName;
  /** The clients underneath, whose instrumentations belong to it. */
  drivers?: string[];
  // Each setting has targets of its own type.
  settings: Setting<any>[];
}
