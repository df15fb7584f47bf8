import type { CallerOf } from '../../callers-events.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import type { MemcachedClient, MemcachedSocket } from './library-types.ts';

/*
 * Tracks the call to which an issue of a server belongs: the one that found it, until another one
 * does. Later steps (retries, failover) run in timers and belong to it, too. There is one entry per
 * server, collected with the client.
 */
const issues = new WeakMap<object, Map<string, OperationResource>>();

const EVENTS = ['issue', 'failure', 'reconnecting', 'reconnect', 'remove'];

/** Whether there is a listener for issues. */
export function isHeard(client: MemcachedClient): boolean {
  return EVENTS.some((event) => client.listenerCount(event) > 0);
}

/** Records that `caller` found no connection at the other end of `socket`. */
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
