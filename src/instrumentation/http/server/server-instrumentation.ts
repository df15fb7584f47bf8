import { http } from '../../../base/node-http.ts';
import { onHttp2Served, onHttpsServed } from '../../../async/served-modules.ts';
import { patchMethod, undoAll, type Undo } from '../../patch.ts';
import { bindHttpListeners } from '../message-listeners.ts';
import { patchHttp2 } from './http2-server.ts';
import { patchResponse, patchServer } from './http1-server.ts';
import type { ServerRecorder } from './server-recorder.ts';
import { serverRequestOf } from './server-request.ts';

/** Replaces what is needed to see the requests of the servers of Node. Returns the undo. */
export function instrumentServers(recorder: ServerRecorder): Undo {
  const undos = [
    bindHttpListeners(),
    patchServer(http.Server.prototype, recorder),
    patchResponse(http.ServerResponse.prototype),
    patchRejections(http.Server.prototype),
  ];
  undos.push(
    onHttpsServed((https) => {
      undos.push(patchServer(https.Server.prototype, recorder));
    }),
    onHttp2Served((http2) => {
      undos.push(patchHttp2(http2, recorder));
    }),
  );
  return () => undoAll(undos.splice(0))();
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
