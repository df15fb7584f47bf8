import { lookForOfficialCalls } from '../../http/grpc.ts';
import { activeServerRequest, type Handler } from '../../http/server/server-request.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import type { FrameworkDefinition } from '../framework.ts';
import { watchErrors } from '../watched-handler.ts';
import { callOf, unknownCallOf } from './server-call.ts';
import { waitingCalls } from './waiting-calls.ts';

const VERSIONS = '>=1.8 <2';

/**
 * Servers of gRPC. A call is a request of HTTP/2, whose span is named by the method of the service and
 * has its status; a client's calls are those of HTTP/2 as well.
 */
export const grpc: FrameworkDefinition = {
  name: 'grpc',
  modules: [
    { module: '@grpc/grpc-js/build/src/server', versions: VERSIONS, patch: patchServer },
    { module: '@grpc/grpc-js/build/src/server-call', versions: VERSIONS, patch: patchStreams },
    ...waitingCalls,
  ],
};

/* The parts of grpc-js that are used. */

interface Server {
  /** Finds the handler for a path, or for the headers of older versions, which throw. */
  _retrieveHandler(asked: string | Record<string, unknown>): MethodHandler | null;
  /** Adds a handler; an instrumentation of OpenTelemetry's leaves its mark on it. */
  register?: { readonly __wrapped?: unknown };
}
interface MethodHandler {
  readonly func: Handler;
  readonly path: string;
}
type Callback = (error: unknown, ...rest: unknown[]) => void;
interface Emitter {
  emit(event: string | symbol, ...args: unknown[]): boolean;
}

function patchServer(exports: ModuleExports): Undo | undefined {
  const prototype = exports?.Server?.prototype as Server | undefined;
  if (typeof prototype?._retrieveHandler !== 'function') return undefined;
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  lookForOfficialCalls(() => prototype.register?.__wrapped === true);
  return undoAll([
    release,
    () => lookForOfficialCalls(() => false),
    patchMethod(prototype, '_retrieveHandler', (original) => {
      return function _retrieveHandler(asked) {
        // It is called while the server emits the stream.
        const request = activeServerRequest();
        if (request === undefined) return original.call(this, asked);
        request.setProtocol(unknownCallOf(request.path));
        const handler = original.call(this, asked);
        if (!handler) return handler;
        request.setProtocol(callOf(handler.path), handler.func);
        return Object.create(handler, { func: { value: watch(handler.func) } }) as MethodHandler;
      };
    }),
  ]);
}

/** A handler answers by its callback, throws, or, though nobody waits for it, rejects. */
function watch(handler: Handler): Handler {
  return function (this: unknown, ...args: unknown[]): unknown {
    const request = activeServerRequest();
    if (request === undefined) return Reflect.apply(handler, this, args);
    const callback = args[1];
    if (typeof callback === 'function') {
      const answer: Callback = (error, ...rest) => {
        if (error instanceof Error) request.recordError(error);
        Reflect.apply(callback, undefined, [error, ...rest]);
      };
      args[1] = answer;
    }
    return watchErrors(request, () => Reflect.apply(handler, this, args));
  };
}

/** A handler that streams answers with an error by the stream. */
function patchStreams(exports: ModuleExports): Undo | undefined {
  const classes = exports as Record<string, { prototype: object } | undefined>;
  const undos = ['ServerWritableStreamImpl', 'ServerDuplexStreamImpl'].map((name) => {
    const prototype = classes[name]?.prototype as Emitter | undefined;
    const release = prototype && reservePatch(prototype, 'errors');
    if (!prototype || !release) return undefined;
    return undoAll([
      release,
      patchHotMethod(prototype, 'emit', (original, patch) => {
        return function emit(event, ...args) {
          if (event === 'error' && !patch.isUndone && args[0] instanceof Error) {
            activeServerRequest()?.recordError(args[0]);
          }
          return original.call(this, event, ...args);
        };
      }),
    ]);
  });
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}
