import type { ModuleExports } from '../../module-hooks.ts';
import { claim, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { RedisClient } from './shapes.ts';

/*
 * Clients that a library of queues was given, and its duplicates of them: an idle worker polls by
 * these for ever. An entry is written when BullMQ takes a client, and lives as long as the client.
 */
const clients = new WeakSet<object>();

/** Whether what `client` sends is asked for by a queue. */
export function isOfQueue(client: RedisClient): boolean {
  return clients.has(selfOf(client));
}

/** Patches what BullMQ takes a client of node-redis by. */
export function patchBullmq(exports: ModuleExports): Undo | undefined {
  if (typeof exports?.createNodeRedisClient !== 'function') return undefined;
  const release = claim(exports, 'redis in bullmq');
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

/** Patches what a queue gets further clients by. */
export function patchDuplicate(prototype: RedisClient): Undo | undefined {
  return patchMethod(prototype, 'duplicate', (original) => {
    return function duplicate(...args) {
      const made = original.apply(this, args);
      if (isOfQueue(this)) clients.add(selfOf(made));
      return made;
    };
  });
}

/** The client itself, of which there may be one with other options. */
function selfOf(client: RedisClient): object {
  return client._self ?? client;
}
