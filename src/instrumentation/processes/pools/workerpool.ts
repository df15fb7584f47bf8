import { context } from '@opentelemetry/api';

import { defaultOf, type ModuleExports, type ModulePatch } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll } from '../../../base/patch.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { injected, type Carrier } from '../carrier.ts';
import { CONTEXT_FIELD } from '../received-messages.ts';

interface Handler {
  worker: { send(message: unknown, ...rest: unknown[]): unknown };
}
interface Pool {
  exec(method: unknown, params: unknown, ...rest: unknown[]): unknown;
  _createWorkerHandler(): Handler;
}

/** The context of each call, by the list of its parameters, which a request has until it is sent. */
const carriers = new WeakMap<object, Carrier>();

/**
 * `workerpool`: the request to a worker thread or process, which is workerpool's own message, has
 * the context of the caller. A worker is made for the first call that finds none, and belongs to no
 * caller.
 */
export const workerpool: ModulePatch = {
  module: 'workerpool/src/Pool.js',
  versions: '>=6 <11',
  patch(exports: ModuleExports) {
    const prototype = (defaultOf(exports)?.Pool ?? defaultOf(exports))?.prototype as
      Partial<Pool> | undefined;
    if (typeof prototype?.exec !== 'function') return undefined;
    if (typeof prototype._createWorkerHandler !== 'function') return undefined;
    const release = reservePatch(prototype, 'task contexts');
    if (!release) return undefined;
    return undoAll([
      release,
      patchMethod(prototype as Pool, 'exec', (original) => {
        return function (method, params, ...rest) {
          // A function is sent by a call of the method `run`.
          const isCall = typeof method === 'string' && (!params || Array.isArray(params));
          const carrier = isCall ? injected(context.active()) : undefined;
          if (carrier === undefined) return original.call(this, method, params, ...rest);
          // A list of its own: the caller's may be that of several calls.
          const own = [...((params as unknown[] | null | undefined) || [])];
          carriers.set(own, carrier);
          return original.call(this, method, own, ...rest);
        };
      }),
      patchMethod(prototype as Pool, '_createWorkerHandler', (original) => {
        return function (...args) {
          const handler = runInRoot(original, this, ...args);
          patchMethod(handler.worker, 'send', (send) => {
            return function (message, ...rest) {
              return send.call(this, withContext(message), ...rest);
            };
          });
          return handler;
        };
      }),
    ]);
  },
};

function withContext(message: unknown): unknown {
  const params = (message as { params?: unknown } | null | undefined)?.params;
  const carrier = Array.isArray(params) ? carriers.get(params) : undefined;
  return carrier ? { ...(message as object), [CONTEXT_FIELD]: carrier } : message;
}
