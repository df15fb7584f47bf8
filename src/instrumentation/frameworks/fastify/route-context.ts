import { shownRouteOf } from '../shown-route.ts';
import type { FastifyReply, FastifyRequest, RouteContext } from './shapes.ts';

/*
 * Fastify keeps what belongs to a route in an object that every request of the route refers to, by a
 * symbol, or by a name in old versions. The handler in it is one that fastify has bound; it is
 * replaced when the route is first asked for, so that a hook that answers is not taken for it.
 */

let symbol: symbol | undefined;

export function contextOf(request: FastifyRequest): RouteContext | undefined {
  const own = request as unknown as Record<PropertyKey, RouteContext | undefined>;
  if (symbol !== undefined && own[symbol] !== undefined) return own[symbol];
  symbol = Object.getOwnPropertySymbols(request).find(
    ({ description }) => description === 'fastify.context',
  );
  if (symbol !== undefined) return own[symbol];
  return Object.hasOwn(request, 'context') ? own['context'] : undefined;
}

/** Whether the handlers that were replaced are watched. */
let isWatching = false;
const watched = new WeakSet<RouteContext>();

export function setWatching(isOn: boolean): void {
  isWatching = isOn;
}

/** Has the handler of `context` name itself before it runs. */
export function watchHandler(context: RouteContext, route: string): void {
  if (watched.has(context)) return;
  watched.add(context);
  // What it is called with it had already, as fastify has bound it.
  // oxlint-disable-next-line typescript/unbound-method
  const { handler } = context;
  if (typeof handler !== 'function') return;
  const replacement = function (this: unknown, request: FastifyRequest, reply: FastifyReply) {
    if (isWatching) shownRouteOf(request.raw)?.show(route, handler);
    return handler.call(this, request, reply);
  };
  for (const key of ['name', 'length'] as const) {
    Object.defineProperty(replacement, key, { value: handler[key], configurable: true });
  }
  context.handler = replacement;
}
