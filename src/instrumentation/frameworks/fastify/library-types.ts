import type { IncomingMessage, ServerResponse } from 'node:http';

/* The parts of fastify that are used. */

/** A hook, which fastify has bound. It may return a promise, or call what it gets last. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Hook = (...args: any[]) => unknown;

/** The hooks of a route, those of its plugins among them, in the order in which they run. */
export type RouteHooks = Partial<Record<(typeof HOOKS)[number], Hook[] | null>>;

/** Those that run before the response is sent. */
export const HOOKS = [
  'onRequest',
  'preParsing',
  'preValidation',
  'preHandler',
  'preSerialization',
  'onError',
  'onSend',
] as const;

/** What fastify keeps of a route. That of what is not found has no path. */
export interface RouteContext extends RouteHooks {
  config?: { url?: string };
  handler(this: unknown, request: FastifyRequest, reply: FastifyReply): unknown;
}

export interface FastifyRequest {
  raw: IncomingMessage;
}

export interface FastifyReply {
  request: FastifyRequest;
  raw: ServerResponse;
}

export interface FastifyInstance {
  version?: string;
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void,
  ): unknown;
  addHook(
    name: 'onError',
    hook: (request: FastifyRequest, reply: FastifyReply, error: unknown, done: () => void) => void,
  ): unknown;
}

/** What is in `fastify/lib/error-handler`. */
export interface ErrorHandlers {
  handleError(reply: FastifyReply, error: unknown, ...rest: unknown[]): unknown;
}
