import { bindCallback } from '../../pending-operation.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { rememberServer } from './attributes.ts';
import { bound } from './replies-source.ts';
import type { Callback, Class, Connection, Model } from './library-types.ts';

/** A module with `connect`: `lib/connect`, and what the package exports for either API. */
export interface Connecting {
  connect(...args: unknown[]): unknown;
}

/** What `connect` opens is shared by all callers, and has the context of none; its callback has its own. */
export function patchConnect(
  exports: Connecting,
  onModel: (model: Model) => void,
): Undo | undefined {
  const release = reservePatch(exports, 'amqplib connect');
  if (!release) return undefined;
  const note = (url: unknown, opened: unknown): void => {
    if (typeof opened !== 'object' || opened === null) return;
    const { connection, createChannel } = opened as Partial<Model>;
    if (typeof createChannel === 'function') onModel(opened as Model);
    else rememberServer(opened, url);
    if (typeof connection === 'object') rememberServer(connection, url);
  };
  return undoAll([
    release,
    patchMethod(exports, 'connect', (original) => {
      return function connect(this: Connecting, ...args: unknown[]): unknown {
        const [url] = args;
        const at = args.findLastIndex((arg) => typeof arg === 'function');
        if (at !== -1) {
          const callback = args[at] as (...results: unknown[]) => unknown;
          args[at] = bindCallback('AMQP_CONNECT', function opened(this: unknown, ...results) {
            note(url, results[1]);
            return callback.apply(this, results);
          } as Callback as (...results: unknown[]) => unknown);
        }
        const result = runInRoot(original, this, ...args);
        if (!(result instanceof Promise)) return result;
        return result.then((model: unknown) => {
          note(url, model);
          return model;
        });
      };
    }),
  ]);
}

/** Callbacks that are called with the last frame of a connection, or of a new secret. */
export function patchConnection({ prototype }: Class<Connection>): Undo | undefined {
  const release = reservePatch(prototype, 'amqplib connection');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'closeBecause', (original) => {
      return function closeBecause(this: Connection, reason, code, done): unknown {
        return original.call(this, reason, code, bound(done));
      };
    }),
    patchMethod(prototype, '_updateSecret', (original) => {
      return function updateSecret(this: Connection, secret, reason, done): unknown {
        return original.call(this, secret, reason, bound(done));
      };
    }),
  ]);
}
