import { matcherOf as textMatcher, pathOf } from '../path-patterns.ts';

/*
 * Patterns of requests that are left alone: `/health*` is a path on any host, `*.internal` a host with
 * every path, `localhost:9200/_bulk` both. A `*` stands for anything; without one all is compared.
 */

interface Place {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path: string;
}

/** Returns whether a request is one of those that `patterns` name. */
export function urlMatcher(patterns: readonly string[]): (place: Place) => boolean {
  const tests = patterns.map((pattern) => pattern.trim()).filter((pattern) => pattern !== '');
  const matchers = tests.map(matcherOf);
  return (place) => matchers.some((matches) => matches(place));
}

function matcherOf(pattern: string): (place: Place) => boolean {
  const bare = pattern.replace(/^https?:\/\//i, '');
  const slash = bare.indexOf('/');
  const host = slash === -1 ? bare : bare.slice(0, slash);
  const isHost = textMatcher([host.toLowerCase()]);
  const isPath = textMatcher([slash === -1 ? '' : bare.slice(slash)]);
  return (place) => {
    const name = place.host?.toLowerCase() ?? '';
    const matchesHost = !isHost || isHost(name) || isHost(`${name}:${place.port ?? ''}`);
    return matchesHost && (!isPath || isPath(pathOf(place.path)));
  };
}
