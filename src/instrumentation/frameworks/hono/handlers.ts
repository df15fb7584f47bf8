import { routeIn } from '../route-path.ts';
import { shownRouteOf, type ShownRoute } from '../shown-route.ts';
import { watchErrors } from '../watched-handler.ts';
import type { HonoContext, HonoHandler, HonoRoute } from './library-types.ts';

/** A handler that shows its route; what it returns and throws is that of the application's. */
export function watchHandler(handler: HonoHandler, { path, method }: HonoRoute): HonoHandler {
  const target = targetOf(handler);
  // A middleware may be for a path, but what it lets through has another one, or none.
  const isMiddleware = method === 'ALL' && target.length > 1;
  return function (this: unknown, context, next) {
    const incoming = context.env?.incoming;
    const shown = incoming && shownRouteOf(incoming);
    if (shown === undefined) return handler.call(this, context, next);
    const route = within(shown, context, path);
    const type = isMiddleware ? 'middleware' : 'handler';
    const call = (given: () => Promise<void>): unknown => {
      const span = shown.request.startHandler({ framework: 'hono', type, handler: target });
      return span === undefined
        ? handler.call(this, context, given)
        : span.run(() => handler.call(this, context, span.around(given)));
    };
    if (!isMiddleware) {
      shown.show(route, target);
      return watchErrors(shown.request, () => call(next), ended);
    }
    const before = shown.route;
    let hasPassed = false;
    const pass = (): Promise<void> => {
      hasPassed = true;
      return next();
    };
    return watchErrors(
      shown.request,
      () => call(pass),
      () => {
        // What is mounted in it may have shown more than that.
        if (!hasPassed && shown.route === before) shown.show(mountOf(route), target);
        ended();
      },
    );

    /** A handler of a nested application may have had its errors handled there. */
    function ended(): void {
      const { error } = context;
      if (error !== undefined && error !== null) shown?.request.recordError(error);
    }
  };
}

/** Nothing is mounted in particular where a middleware is for everything. */
function mountOf(route: string): string {
  return route === '/*' || route === '*' ? '' : route;
}

/** The handler in what hono makes of one whose application has an error handler of its own. */
function targetOf(handler: HonoHandler): HonoHandler {
  for (const key of Reflect.ownKeys(handler)) {
    if (!/composed_?handler/i.test(String(key))) continue;
    const target = (handler as unknown as Record<PropertyKey, unknown>)[key];
    if (typeof target === 'function') return targetOf(target as HonoHandler);
  }
  return handler;
}

interface Entered {
  context: HonoContext;
  /** Where the application is mounted in another one. */
  mount: string;
  route: string;
}
/** The application that a request has entered last. */
const entered = new WeakMap<ShownRoute, Entered>();

/** The route with what is before it, where the application is mounted in another one. */
function within(shown: ShownRoute, context: HonoContext, path: string): string {
  const last = entered.get(shown);
  let mount = '';
  if (last?.context === context) mount = last.mount;
  else if (last && isMounted(last, context)) mount = last.route.replace(/\/\*$/, '');
  const route = routeIn(mount, path);
  entered.set(shown, { context, mount, route });
  return route;
}

function isMounted(outer: Entered, context: HonoContext): boolean {
  const { path } = context.req;
  const whole = outer.context.req.path;
  return outer.route.endsWith('/*') && whole !== path && (path === '/' || whole.endsWith(path));
}
