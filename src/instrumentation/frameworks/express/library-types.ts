import type { IncomingMessage, ServerResponse } from 'node:http';

/* What is used of `router`, and of the copy of it that is in express 4. */

/** What an application wrote: one path, or several in lists that may be nested. */
export type LayerPath = string | RegExp | readonly unknown[];

export interface RoutedMessage extends IncomingMessage {
  /** What is trimmed off the URL in a mounted router. */
  baseUrl?: string;
  route?: Route;
  /** The innermost router's own, which handlers may call in place of theirs. */
  next?: Next;
}

export type Next = (error?: unknown) => void;

export interface Route {
  path: LayerPath;
}

/** An entry of a router's stack, or of a route's. */
export interface Layer {
  handle: LayerHandle;
  /** Of a router's entry that is a route. */
  route?: Route;
  /** Of a route's entry, where it may be undefined. */
  method?: string | undefined;
  match(path: string): unknown;
}

// oxlint-disable-next-line typescript/no-explicit-any
export type LayerHandle = ((...args: any[]) => unknown) & {
  /** Of a router, and of an application that is mounted as it is. */
  stack?: unknown;
  handle?: unknown;
};

type Handle = (
  this: LayerPrototype,
  request: RoutedMessage,
  response: ServerResponse,
  next: Next,
) => unknown;

type HandleError = (
  this: LayerPrototype,
  error: unknown,
  request: RoutedMessage,
  response: ServerResponse,
  next: Next,
) => unknown;

/** What a layer inherits. */
export interface LayerPrototype extends Layer {
  /** The names of express 4 and of `router` 1. */
  handle_request?: Handle;
  handle_error?: HandleError;
  /** Those of `router` 2. */
  handleRequest?: Handle;
  handleError?: HandleError;
}

export type LayerClass = new (path: LayerPath, options: object, handle: LayerHandle) => Layer;

export interface Router {
  stack: Layer[];
  use(...args: unknown[]): unknown;
  param(...args: unknown[]): unknown;
  handle(request: RoutedMessage, response: ServerResponse, done: Next): unknown;
}
