import type * as Http2 from 'node:http2';
import type * as Https from 'node:https';

import { context } from '@opentelemetry/api';

import { http, isLoaded } from '../../../base/node-http.ts';
import { onUncaught } from '../../../async/uncaught-error.ts';
import { onHttp2Served, onHttpsServed } from '../../../async/served-modules.ts';
import { onModule } from '../../module-hooks.ts';
import { patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { bindHttpListeners } from '../message-listeners.ts';
import { patchHttp2 } from './http2-server.ts';
import { patchResponse, patchServer } from './http1-server.ts';
import type { ServerRecorder } from './server-recorder.ts';
import { inFlightOf, recordError } from './request-context.ts';
import { serverRequestOf } from './server-request.ts';

/** Replaces what is needed to see the requests of the servers of Node. Returns the undo. */
export function instrumentServers(recorder: ServerRecorder): Undo {
  const undos = [
    bindHttpListeners(),
    patchServer(http.Server.prototype, recorder),
    patchResponse(http.ServerResponse.prototype),
    patchRejections(http.Server.prototype),
    onUncaught(recordUncaught),
  ];
  const patchHttps = once((https: typeof Https) => {
    undos.push(patchServer(https.Server.prototype, recorder));
  });
  const patchHttp2Once = once((http2: typeof Http2) => {
    undos.push(patchHttp2(http2, recorder));
  });
  // A module is seen when it is loaded or, where that was past the hooks, when a server of its is
  // connected to. One that an application hands its connections by `emit` is not.
  undos.push(
    onLoad('https', patchHttps),
    onLoad('http2', patchHttp2Once),
    onHttpsServed(patchHttps),
    onHttp2Served(patchHttp2Once),
  );
  return () => undoAll(undos.splice(0))();
}

/** Calls `found` with a module of Node's own as soon as it is loaded. */
function onLoad<Module>(name: string, found: (module: Module) => void): Undo {
  // What an importer gets may be a copy of the exports.
  const find = (): void => found(process.getBuiltinModule(`node:${name}`) as Module);
  if (isLoaded(name)) find();
  return onModule({
    module: name,
    versions: '>=20 <100',
    patch: () => {
      find();
      return undefined;
    },
  });
}

function once<Module>(patch: (module: Module) => void): (module: Module) => void {
  let isPatched = false;
  return (module) => {
    if (isPatched) return;
    isPatched = true;
    patch(module);
  };
}

/**
 * Records an exception that nothing caught on the request in whose context it was thrown, and ends the
 * request's span where the process ends of it. What a handler throws while it is called is recorded
 * where it is called.
 */
function recordUncaught(error: unknown): void {
  const request = inFlightOf(context.active());
  if (request === undefined) return;
  recordError(request, error);
  if (process.listenerCount('uncaughtException') === 0) request.end(false, undefined);
}

const REJECTED: unique symbol = Symbol.for('nodejs.rejection') as never;

/** What Node calls with the error of an asynchronous handler, where the server is told to. */
function patchRejections(prototype: object): Undo | undefined {
  type Method = (this: unknown, error: unknown, event: unknown, ...args: unknown[]) => unknown;
  const target = prototype as { [REJECTED]: Method };
  return patchMethod(target, REJECTED, (original): Method => {
    return function (this: unknown, error, event, ...args) {
      const [request] = args;
      if (event === 'request' && typeof request === 'object' && request !== null) {
        serverRequestOf(request)?.recordError(error);
      }
      return Reflect.apply(original, this, [error, event, ...args]);
    };
  });
}
