import { shownRouteOf } from '../shown-route.ts';
import { areHandlerSpansAsked } from '../../http/server/handler-span.ts';
import { runCallback } from '../watched-handler.ts';
import { withArityOf } from '../watched-list.ts';
import {
  HOOKS,
  type FastifyReply,
  type FastifyRequest,
  type Hook,
  type RouteContext,
} from './library-types.ts';

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

/** What stands in the place of others. A context of what is not found may inherit from another one. */
const replacements = new WeakSet<object>();

/**
 * Has the handler of `context` name itself before it runs. That of what is not found, which has no
 * `route`, names nothing: it has a span and no more.
 */
export function watchHandler(context: RouteContext, route: string | undefined): void {
  if (watched.has(context)) return;
  watched.add(context);
  // What it is called with it had already, as fastify has bound it.
  // oxlint-disable-next-line typescript/unbound-method
  const { handler } = context;
  if (areHandlerSpansAsked()) for (const step of HOOKS) watchHooks(step, context[step]);
  if (typeof handler !== 'function' || handler.name === OWN_404 || replacements.has(handler))
    return;
  const replacement = function (this: unknown, request: FastifyRequest, reply: FastifyReply) {
    const shown = isWatching ? shownRouteOf(request.raw) : undefined;
    if (route !== undefined) shown?.show(route, handler);
    const span = shown?.request.startHandler({ framework: 'fastify', type: 'handler', handler });
    if (span === undefined) return handler.call(this, request, reply);
    return span.run(
      () => handler.call(this, request, reply),
      () => reply.raw.writableEnded,
    );
  };
  for (const key of ['name', 'length'] as const) {
    Object.defineProperty(replacement, key, { value: handler[key], configurable: true });
  }
  replacements.add(replacement);
  context.handler = replacement;
}

/** What fastify answers itself with; handlers of applications are bound, and named so. */
const OWN_404 = 'basic404';

let notFoundSymbol: symbol | undefined;

/** What a handler of `context` goes on with if it calls `reply.callNotFound()`. */
export function notFoundContextOf(context: RouteContext): RouteContext | undefined {
  notFoundSymbol ??= Object.getOwnPropertySymbols(context).find(
    ({ description }) => description === 'fastify.404ContextKey',
  );
  if (notFoundSymbol === undefined) return undefined;
  const own = context as unknown as Record<symbol, RouteContext | null | undefined>;
  return own[notFoundSymbol] ?? undefined;
}

/** The name of the hooks that are this package's own. */
export const OWN_HOOK = 'clewRoute';

/** Replaces the hooks in their list, which fastify goes through while it runs them. */
function watchHooks(step: (typeof HOOKS)[number], hooks: Hook[] | null | undefined): void {
  if (!Array.isArray(hooks)) return;
  for (const [index, hook] of hooks.entries()) {
    if (typeof hook !== 'function' || hook.name.endsWith(OWN_HOOK) || replacements.has(hook)) {
      continue;
    }
    hooks[index] = watchHook(step, hook);
    replacements.add(hooks[index]);
  }
}

function watchHook(step: (typeof HOOKS)[number], hook: Hook): Hook {
  return withArityOf(hook, function (this: unknown, ...args) {
    const [request, reply] = args as [FastifyRequest, FastifyReply];
    const shown = isWatching ? shownRouteOf(request.raw) : undefined;
    const call = { framework: 'fastify', type: 'hook', handler: hook, step } as const;
    const span = shown?.request.startHandler(call);
    if (span === undefined) return hook.apply(this, args);
    const done = args.at(-1) as Hook;
    // An error that the hook was called with is none of its own.
    const run = (onwards: Hook): unknown => hook.apply(this, [...args.slice(0, -1), onwards]);
    return runCallback(span, run, done, reply.raw, args.length > 3 ? args[2] : undefined);
  });
}
