import { AsyncResource } from 'node:async_hooks';

import { patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { consuming } from '../../redis/messages.ts';
import { describe, endpointOf } from './attributes.ts';
import { recorded } from './call-scopes.ts';
import type { Method, RedisClient } from './library-types.ts';

/*
 * Makes listeners of channels run in the context they were registered in. The bound listener is
 * remembered by client, listener and channel, so that unsubscribing finds it and registering the
 * same listener again changes nothing; entries are collected with client and listener.
 */
type Listener = (...args: unknown[]) => unknown;
type BoundByChannel = Map<string, Listener>;
const bound = new WeakMap<object, WeakMap<Listener, BoundByChannel>>();

/** The commands, with the names under which a client lists their listeners. */
const SUBSCRIBING = { SUBSCRIBE: 'CHANNELS', PSUBSCRIBE: 'PATTERNS', SSUBSCRIBE: 'SHARDED' };
const UNSUBSCRIBING = {
  UNSUBSCRIBE: 'CHANNELS',
  PUNSUBSCRIBE: 'PATTERNS',
  SUNSUBSCRIBE: 'SHARDED',
};

export function patchSubscriptions(prototype: RedisClient, recorder: Recorder): Undo {
  // These methods are generated, and typed by what each of them takes.
  const methods = prototype as unknown as Record<string, Method>;
  const patch = (name: string, register: typeof unsubscribed): Undo | undefined =>
    patchMethod(methods, name, (original) => {
      return function subscription(this: unknown, ...args) {
        const client = this as RedisClient;
        const command = [name, ...[args[0] ?? []].flat()];
        const registered = register(client, name, args);
        return recorded(
          client,
          recorder,
          () => describe(client, command),
          () => original.apply(this, registered),
        );
      };
    });
  return undoAll([
    ...Object.keys(SUBSCRIBING).map((name) =>
      patch(name, (...given) => subscribed(recorder, ...given)),
    ),
    ...Object.keys(UNSUBSCRIBING).map((name) => patch(name, unsubscribed)),
  ]);
}

function subscribed(
  recorder: Recorder,
  client: RedisClient,
  name: string,
  args: unknown[],
): unknown[] {
  const [channels, listener] = args;
  if (typeof listener !== 'function') return args;
  const type = SUBSCRIBING[name as keyof typeof SUBSCRIBING];
  const known = boundOf(client, listener as Listener);
  const isRegistered = (channel: string): boolean => {
    const each = known.get(`${type} ${channel}`);
    return each !== undefined && holds(client, type, channel, each);
  };
  const all = [channels].flat().map(String);
  const fresh = all.filter((channel) => !isRegistered(channel));
  // All of them are registered, so this call changes nothing.
  const first = known.get(`${type} ${all[0]}`);
  if (fresh.length === 0 && first) return [all[0], first, ...args.slice(2)];
  const resource = new AsyncResource('REDIS_LISTENER');
  // The client does not report through which of several patterns a message came.
  const pattern = type === 'PATTERNS' && fresh.length === 1 ? { pattern: fresh[0]! } : {};
  const consumer = consuming(listener as Listener, recorder, (_, [message, channel]) => ({
    endpoint: endpointOf(client),
    channel: String(channel),
    message,
    ...pattern,
  }));
  const registered: Listener = function boundListener(this: unknown, ...message) {
    return resource.runInAsyncScope(consumer, this, ...message);
  };
  for (const channel of fresh) known.set(`${type} ${channel}`, registered);
  return [fresh, registered, ...args.slice(2)];
}

function unsubscribed(client: RedisClient, name: string, args: unknown[]): unknown[] {
  const [channels, listener] = args;
  if (typeof listener !== 'function') return args;
  const type = UNSUBSCRIBING[name as keyof typeof UNSUBSCRIBING];
  const known = boundOf(client, listener as Listener);
  const [channel] = [channels].flat();
  const registered = known.get(`${type} ${String(channel)}`) ?? listener;
  for (const each of [channels].flat()) known.delete(`${type} ${String(each)}`);
  return [channels, registered, ...args.slice(2)];
}

function boundOf(client: RedisClient, listener: Listener): BoundByChannel {
  const self = client._self ?? client;
  const byListener = bound.get(self) ?? new WeakMap<Listener, BoundByChannel>();
  bound.set(self, byListener);
  const byChannel = byListener.get(listener) ?? new Map<string, Listener>();
  byListener.set(listener, byChannel);
  return byChannel;
}

function holds(client: RedisClient, type: string, channel: string, listener: Listener): boolean {
  // A client that does not list it was at least not asked to remove it.
  if (!client.getPubSubListeners) return true;
  for (const [name, { buffers, strings }] of client.getPubSubListeners(type) ?? []) {
    if (name === channel) return buffers.has(listener) || strings.has(listener);
  }
  return false;
}
