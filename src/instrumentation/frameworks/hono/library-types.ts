import type { IncomingMessage } from 'node:http';

/* The parts of hono that are used. */

export interface HonoContext {
  /** What `@hono/node-server` gives to an application. */
  env?: { incoming?: IncomingMessage };
  req: { path: string };
  /** What an error handler was called with. */
  error?: unknown;
}

export type HonoHandler = (context: HonoContext, next: () => Promise<void>) => unknown;

/** An entry of an application's routes. */
export interface HonoRoute {
  path: string;
  method: string;
  handler: HonoHandler;
}

export interface HonoRouter {
  add(method: string, path: string, entry: [HonoHandler, HonoRoute]): unknown;
  match(method: string, path: string): unknown;
}
