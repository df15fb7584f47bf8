import type { IncomingMessage } from 'node:http';

/* What is used of fastify. */

/** What fastify keeps of a route. That of what is not found has no path. */
export interface RouteContext {
  config?: { url?: string };
  handler(this: unknown, request: FastifyRequest, reply: FastifyReply): unknown;
}

export interface FastifyRequest {
  raw: IncomingMessage;
}

export interface FastifyReply {
  request: FastifyRequest;
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
