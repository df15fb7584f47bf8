/*
 * Path patterns: `/healthz` is that path alone, `/internal/*` everything below `/internal/`. A `*`
 * stands for any characters, slashes included. Queries are not looked at.
 */

/** Returns a test for paths that `patterns` match; undefined where there are no patterns. */
export function matcherOf(patterns: readonly string[]): ((path: string) => boolean) | undefined {
  const given = patterns.filter((pattern) => pattern !== '');
  if (given.length === 0) return undefined;
  const exact = new Set(given.filter((pattern) => !pattern.includes('*')));
  const parts = given.filter((pattern) => pattern.includes('*')).map((each) => each.split(/\*+/));
  return (path) => exact.has(path) || parts.some((each) => matches(path, each));
}

/** By searching for one part after the other: a regular expression could be made to backtrack. */
function matches(path: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (!path.startsWith(first) || !path.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = path.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= path.length - last.length;
}

/** The path of a request's target, without its query: of `/a?b`, of `http://host/a`, and `*`. */
export function pathOf(target: string): string {
  const start = startOfPath(target);
  const end = target.indexOf('?', start);
  return start === 0 && end === -1 ? target : target.slice(start, end === -1 ? undefined : end);
}

/** The query of a request's target, without its `?`; undefined where there is none. */
export function queryOf(target: string): string | undefined {
  const at = target.indexOf('?');
  return at === -1 || at === target.length - 1 ? undefined : target.slice(at + 1);
}

const ABSOLUTE = /^https?:\/\/[^/?#]*/i;

function startOfPath(target: string): number {
  if (target.startsWith('/')) return 0;
  return ABSOLUTE.exec(target)?.[0].length ?? 0;
}
