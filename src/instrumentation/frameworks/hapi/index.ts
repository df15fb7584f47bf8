import type { IncomingMessage } from 'node:http';

import type { FrameworkDefinition } from '../framework.ts';
import type { Handler } from '../../http/server/server-request.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { shownRouteOf } from '../shown-route.ts';

const VERSIONS = '>=20.3.0 <22';

/** `@hapi/hapi`. */
export const hapi: FrameworkDefinition = {
  name: 'hapi',
  modules: [
    { module: '@hapi/hapi/lib/request', versions: VERSIONS, patch: patchRequest },
    { module: '@hapi/hapi/lib/handler', versions: VERSIONS, patch: patchHandler },
  ],
};

/* The parts of hapi that are used. */

interface HapiRequest {
  raw: { req: IncomingMessage };
  route: { path: string; method: string; settings: { handler?: unknown } };
  /** Finds the route. */
  _lookup(): void;
  _setResponse(response: HapiResponse): void;
}

/** An answer, or an error that is to be answered. */
interface HapiResponse {
  isBoom?: boolean;
  output?: { statusCode?: number };
}

/** What is not found, or cannot be read, has a route of hapi's own. */
function isOwn({ route }: HapiRequest): boolean {
  return route.method === '_special';
}

function patchRequest(exports: ModuleExports): Undo | undefined {
  const prototype = exports?.prototype as HapiRequest | undefined;
  if (typeof prototype?._lookup !== 'function') return undefined;
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, '_lookup', (original) => {
      return function _lookup() {
        original.call(this);
        if (!isOwn(this)) shownRouteOf(this.raw.req)?.show(this.route.path, undefined);
      };
    }),
    patchMethod(prototype, '_setResponse', (original) => {
      return function _setResponse(response) {
        if (response?.isBoom === true && !isNotFound(this, response)) {
          shownRouteOf(this.raw.req)?.request.recordError(response);
        }
        original.call(this, response);
      };
    }),
  ]);
}

/** A path that is not found is not an error of the application. */
function isNotFound(request: HapiRequest, { output }: HapiResponse): boolean {
  return isOwn(request) && [400, 404].includes(output?.statusCode ?? 0);
}

function patchHandler(exports: ModuleExports): Undo | undefined {
  const handlers = exports as { execute(request: HapiRequest): unknown } | undefined;
  if (typeof handlers?.execute !== 'function') return undefined;
  const release = reservePatch(handlers, 'routes');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(handlers, 'execute', (original) => {
      return function execute(request) {
        const { path, settings } = request.route;
        const { handler } = settings;
        if (isOwn(request) || typeof handler !== 'function') return original.call(this, request);
        const shown = shownRouteOf(request.raw.req);
        shown?.show(path, handler as Handler);
        const span = shown?.request.startHandler({
          framework: 'hapi',
          type: 'handler',
          handler: handler as Handler,
        });
        return span === undefined
          ? original.call(this, request)
          : span.run(() => original.call(this, request));
      };
    }),
  ]);
}
