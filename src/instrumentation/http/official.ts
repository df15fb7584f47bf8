import { channel } from 'node:diagnostics_channel';

import { http } from '../../base/node-http.ts';

/*
 * Whether OpenTelemetry's own instrumentation of HTTP has replaced the same methods, whoever
 * registered it. Its replacements are marked, and go when it is disabled.
 */

const undiciCreated = channel('undici:request:create');

interface Replacement {
  readonly __wrapped?: unknown;
  readonly __original?: unknown;
  readonly name?: unknown;
}

/** Whether incoming requests are recorded by it. */
export function isOfficialOnServers(): boolean {
  const { emit } = http.Server.prototype as { emit: unknown };
  return hasReplaced(emit, 'incomingRequest');
}

/** Whether it is `method`, or was when ours was put over it. */
export function hasReplaced(method: unknown, name: string): boolean {
  for (let replacement = method as Replacement | undefined; replacement?.__wrapped === true;) {
    if (replacement.name === name) return true;
    replacement = replacement.__original as Replacement | undefined;
  }
  return false;
}

/** Whether requests of undici and `fetch` are recorded by it: it listens to a channel of theirs. */
export function isOfficialOnUndici(): boolean {
  const { _subscribers: subscribers } = undiciCreated as unknown as {
    _subscribers?: unknown;
  };
  const listeners = Array.isArray(subscribers) ? (subscribers as { name?: string }[]) : [];
  return listeners.some((listener) => listener.name === 'bound onRequestCreated');
}
