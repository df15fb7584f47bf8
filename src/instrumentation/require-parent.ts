import type { ClewError } from '../base/errors.ts';
import { SettingsReader, type Environment } from '../base/settings-reader.ts';

/**
 * Whether operations have a span only inside another: for all clients, for none, or for those that
 * are named and no others. Undefined leaves it to each client's default.
 */
export type RequireParent = boolean | ReadonlySet<string> | undefined;

/** Reads `CLEW_REQUIRE_PARENT`: `true`, `false`, or a list of clients by their names. */
export function readRequireParent(
  env: Environment,
  clients: readonly string[],
): { requireParent: RequireParent; problems: ClewError[] } {
  const variable = 'CLEW_REQUIRE_PARENT';
  const reader = new SettingsReader(env);
  const text = reader.text(variable)?.toLowerCase();
  if (text === 'true' || text === 'false') return { requireParent: text === 'true', problems: [] };
  const named = reader.knownNames(variable, clients);
  const known = named && [...named].filter((name) => clients.includes(name));
  // With nothing in it that is known the defaults hold.
  const requireParent = known && known.length > 0 ? new Set(known) : undefined;
  return { requireParent, problems: reader.problems };
}

/** What `requireParent` says about the client called `name`. */
export function requiresParent(requireParent: RequireParent, name: string): boolean | undefined {
  return typeof requireParent === 'object' ? requireParent.has(name) : requireParent;
}
