import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';

import type { ClientName } from '../../../../src/instrumentation/index.ts';
import type { ServiceName } from '../../../support/services.ts';

export const require: NodeJS.Require = createRequire(import.meta.url);

/** What a scenario may use. */
export interface Stage {
  /** The URL of the server. */
  url: string;
  /** Registers a listener of each event, outside of every request. */
  listen(this: void, emitter: Pick<EventEmitter, 'on'>, events: readonly string[]): void;
  /** A function that is a listener of `event`, for clients whose listeners are options. */
  hears(this: void, event: string): () => void;
  /** Calls `fn` as the caller `name`. */
  as<Result>(this: void, name: string, fn: () => Promise<Result>): Promise<Result>;
  /** Where the client is found: among the ordinary dependencies, or where it was built. */
  require: NodeJS.Require;
}

/** What an application does whose listeners were registered when it started. */
export interface EventScenario {
  client: ClientName;
  name: string;
  service?: ServiceName;
  /** How the client is found where it is no ordinary dependency. */
  find?: (suite: Mocha.Context) => NodeJS.Require;
  /**
   * The callers that an event is about, one letter each, where it runs without us in the context of
   * another one: of whoever opened the connection, for one.
   */
  callers?: Readonly<Record<string, string>>;
  /** Why an event is about no caller, though it runs without us in some caller's context. */
  nobodys?: Readonly<Record<string, string>>;
  run(stage: Stage): Promise<void>;
}

export const LOST = 'a connection that is lost is nobody’s: without us its opener’s, for ever';
export const LATER = 'a client that connects again does so for nobody';
export const OTHERS =
  'it tells of what others did: without us it is the opener’s of the connection';

/** Waits until `emitter` has emitted `event`, in nobody's context. */
export const until = (emitter: EventEmitter, event: string): Promise<unknown> =>
  new Promise((resolve) => emitter.once(event, resolve));

export const soon = (milliseconds = 20): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
