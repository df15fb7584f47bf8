import type { FrameworkDefinition } from '../framework.ts';
import type { Handler } from '../../http/server/server-request.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { shownRouteOf, type ShownRoute } from '../shown-route.ts';

const VERSIONS = '>=10 <13';

/** NestJS, whose routes are those of express or fastify: the names of its controllers' methods. */
export const nest: FrameworkDefinition = {
  name: 'nestjs-core',
  modules: [
    {
      module: '@nestjs/core/router/router-execution-context',
      versions: VERSIONS,
      patch: patchExecutionContext,
    },
    {
      module: '@nestjs/core/exceptions/exceptions-handler',
      versions: VERSIONS,
      patch: patchExceptionsHandler,
    },
  ],
};

/* The parts of NestJS that are used. */

type Pipeline = (request: object, ...rest: unknown[]) => unknown;

interface ExecutionContext {
  /** Makes what runs the guards, the pipes and the method of a controller. */
  create(instance: object, callback: unknown, methodName: string, ...rest: unknown[]): Pipeline;
}

interface ExceptionsHandler {
  next(exception: unknown, host: { getArgByIndex(index: number): unknown }): unknown;
}

/** The request of the platform: fastify's holds that of Node. */
function shownOf(request: unknown): ShownRoute | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { raw } = request as { raw?: unknown };
  return shownRouteOf(typeof raw === 'object' && raw !== null ? raw : request);
}

function patchExecutionContext(exports: ModuleExports): Undo | undefined {
  const prototype = exports?.RouterExecutionContext?.prototype as ExecutionContext | undefined;
  if (typeof prototype?.create !== 'function') return undefined;
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'create', (original) => {
      return function create(instance, callback, methodName, ...rest) {
        const pipeline = original.call(this, instance, callback, methodName, ...rest);
        if (typeof pipeline !== 'function') return pipeline;
        const handler = named(`${instance?.constructor?.name ?? ''}.${methodName}`);
        return function (this: unknown, request, ...others) {
          const shown = shownOf(request);
          shown?.show(shown.route, handler);
          const span = shown?.request.startHandler({
            framework: 'nestjs-core',
            type: 'handler',
            handler,
          });
          return span === undefined
            ? pipeline.call(this, request, ...others)
            : span.run(() => pipeline.call(this, request, ...others));
        };
      };
    }),
  ]);
}

/** What stands for the methods of controllers. */
const methods = new WeakSet<Handler>();

/** A function for its name: that of the method is without its class. */
function named(name: string): Handler {
  const method: Handler = Object.defineProperty(() => undefined, 'name', { value: name });
  methods.add(method);
  return method;
}

function patchExceptionsHandler(exports: ModuleExports): Undo | undefined {
  const prototype = exports?.ExceptionsHandler?.prototype as ExceptionsHandler | undefined;
  if (typeof prototype?.next !== 'function') return undefined;
  const release = reservePatch(prototype, 'errors');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'next', (original) => {
      return function next(exception, host) {
        const shown = shownOf(host.getArgByIndex(0));
        if (shown && isNotFound(shown, exception)) shown.show('', undefined);
        else shown?.request.recordError(exception);
        return original.call(this, exception, host);
      };
    }),
  ]);
}

/**
 * NestJS has an exception for paths that lead to no controller, which are no error of the
 * application's. Under a prefix there is a route for them.
 */
function isNotFound({ handler }: ShownRoute, exception: unknown): boolean {
  const hasController = handler !== undefined && methods.has(handler);
  return !hasController && (exception as { status?: unknown } | null)?.status === 404;
}
