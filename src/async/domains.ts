import { EventEmitter } from 'node:events';

/*
 * Domains (`node:domain`) follow async resources: the callbacks of a resource enter the domain that
 * was active when it was made, and leave it, with every domain entered since, also where they throw.
 * The scope of a resource of ours would so end the domain that an application entered inside it.
 */

/** `usingDomains` is set by Node when the first module loads domains; its types do not have it. */
const emitters = EventEmitter as unknown as { usingDomains?: boolean };

const holder = process as unknown as { domain: unknown };

/** Leaves the active domain, so that no async resource made now follows it. Returns the domain. */
export function leaveDomain(): unknown {
  if (emitters.usingDomains !== true) return undefined;
  const { domain } = holder;
  if (domain !== undefined && domain !== null) holder.domain = null;
  return domain;
}

/** Enters the domain that `leaveDomain` returned. */
export function reenterDomain(domain: unknown): void {
  if (domain !== undefined && domain !== null) holder.domain = domain;
}
