import { activeServerRequest } from '../../http/server/server-request.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { FrameworkDefinition } from '../framework.ts';
import { showProcedure } from './procedures.ts';

/** tRPC, whichever of its adapters answers over HTTP. */
export const trpc: FrameworkDefinition = {
  name: 'trpc',
  modules: [{ module: '@trpc/server', versions: '>=10 <12', patch }],
};

/* The parts of tRPC that are used. */

interface Builder {
  create(...options: unknown[]): { procedure: Procedure };
}
interface Procedure {
  use(middleware: Middleware): Procedure;
}
type Middleware = (call: Call) => unknown;
interface Call {
  readonly path: string;
  next(): Promise<Result>;
}
interface Result {
  ok?: boolean;
  error?: { code?: string; cause?: unknown };
}

/** The procedures of an application begin with a middleware, which is first to see each call. */
function patch(exports: ModuleExports): Undo | undefined {
  const builder = exports?.initTRPC as object | undefined;
  const prototype = builder && (Object.getPrototypeOf(builder) as Builder);
  if (typeof prototype?.create !== 'function') return undefined;
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  const state = { isUndone: false };
  return undoAll([
    release,
    () => {
      state.isUndone = true;
    },
    patchMethod(prototype, 'create', (original) => {
      return function create(...options) {
        const root = original.apply(this, options);
        if (!state.isUndone) root.procedure = root.procedure.use((call) => follow(call, state));
        return root;
      };
    }),
  ]);
}

function follow(call: Call, state: { isUndone: boolean }): unknown {
  const request = state.isUndone ? undefined : activeServerRequest();
  if (request === undefined || !showProcedure(request, call.path)) return call.next();
  return call.next().then((result) => {
    const { error } = result;
    // An error that is none of tRPC's own is wrapped into one.
    const isWrapped = error?.code === 'INTERNAL_SERVER_ERROR' && error.cause !== undefined;
    if (result.ok === false) request.recordError(isWrapped ? error.cause : error);
    return result;
  });
}
