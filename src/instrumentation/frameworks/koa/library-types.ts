import type { IncomingMessage } from 'node:http';

/* What is used of koa, `@koa/router` and `koa-router`. */

export interface KoaContext {
  req: IncomingMessage;
  path: string;
  originalUrl: string;
  /** Where `koa-mount` has mounted what runs now. */
  mountPath?: string;
  onerror(error: unknown): unknown;
}

export type Middleware = (context: KoaContext, next: () => unknown) => unknown;

export interface KoaApplication {
  middleware: Middleware[];
  callback(): unknown;
}

/** What matches a path: a route with methods, or a middleware without. */
export interface RouterLayer {
  path: string | RegExp;
  methods: readonly string[];
  stack: Middleware[];
  opts?: { strict?: boolean };
}

export interface Matched {
  path: RouterLayer[];
  /** Those that run. */
  pathAndMethod: RouterLayer[];
  route: boolean;
}

export interface KoaRouter {
  match(path: string, method: string): Matched;
  /** Two names for what makes the middleware of a router. */
  routes(): Middleware;
  middleware(): Middleware;
}
