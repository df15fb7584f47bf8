import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { RedisClient } from './library-types.ts';

/*
 * Clients that were passed to a queue library, and its duplicates of them: an idle worker polls
 * through these for ever. An entry is added when BullMQ takes a client, and collected with the
 * client.
 */
const clients = new WeakSet<object>();

/** Whether commands of `client` are sent by a queue. */
export function isOfQueue(client: RedisClient): boolean {
  return clients.has(selfOf(client));
}

/** Patches the function through which BullMQ takes a client of node-redis. */
export function patchBullmq(exports: ModuleExports): Undo | undefined {
  if (typeof exports?.createNodeRedisClient !== 'function') return undefined;
  const release = reservePatch(exports, 'redis in bullmq');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(
      exports as { createNodeRedisClient(client: RedisClient): unknown },
      'createNodeRedisClient',
      (original) => {
        return function createNodeRedisClient(client) {
          if (typeof client === 'object' && client !== null) clients.add(selfOf(client));
          return original.call(this, client);
        };
      },
    ),
  ]);
}

/** Patches the method by which a queue gets further clients. */
export function patchDuplicate(prototype: RedisClient): Undo | undefined {
  return patchMethod(prototype, 'duplicate', (original) => {
    return function duplicate(...args) {
      const made = original.apply(this, args);
      if (isOfQueue(this)) clients.add(selfOf(made));
      return made;
    };
  });
}

/** Returns the client itself; there may be a copy with other options. */
function selfOf(client: RedisClient): object {
  return client._self ?? client;
}
