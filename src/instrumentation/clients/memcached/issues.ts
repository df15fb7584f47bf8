import type { CallerOf } from '../../callers-events.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import type { MemcachedClient, MemcachedSocket } from './shapes.ts';

/*
 * Whose call an issue of a server is about: the one that found it, until another one does. What follows
 * (trying again, failing over) comes from timers, and is about it too. Entries live as long as their
 * client, one for each server.
 */
const issues = new WeakMap<object, Map<string, OperationResource>>();

const EVENTS = ['issue', 'failure', 'reconnecting', 'reconnect', 'remove'];

/** Whether anybody would hear of an issue. */
export function isHeard(client: MemcachedClient): boolean {
  return EVENTS.some((event) => client.listenerCount(event) > 0);
}

/** `caller` found that there is no connection at the other end of `socket`. */
export function hasIssue(
  client: MemcachedClient,
  { serverAddress }: MemcachedSocket,
  caller: OperationResource | undefined,
): void {
  if (serverAddress === undefined) return;
  const found = issues.get(client) ?? new Map<string, OperationResource>();
  issues.set(client, found);
  if (caller) found.set(serverAddress, caller);
  else found.delete(serverAddress);
}

export const callerOf: CallerOf = (client, _event, [details]) => {
  const { server } = (details ?? {}) as { server?: string };
  return server === undefined ? undefined : issues.get(client)?.get(server);
};
