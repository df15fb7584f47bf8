/*
 * Which request methods are shown by their name. Anybody can send any word as a method, and every word
 * would be a name of spans and a series of the metrics.
 */

/** `http.request.method` of a method that is not known. */
export const OTHER_METHOD = '_OTHER';
/** What stands in a span's name for a method that is not known. */
export const OTHER_METHOD_NAME = 'HTTP';

/** Those of RFC 9110, PATCH and QUERY, as the semantic conventions have it. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

/** The variable that names the known methods in place of those above: case-sensitive, with commas. */
export const KNOWN_METHODS_VARIABLE = 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS';

/** Returns the known methods: those that the variable names, all of them, else those above. */
export function readKnownMethods(
  env: Readonly<Record<string, string | undefined>>,
): ReadonlySet<string> {
  const names = (env[KNOWN_METHODS_VARIABLE] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length === 0 ? KNOWN_METHODS : new Set(names);
}

/** A method as it is shown. */
export interface ShownMethod {
  /** `http.request.method`. */
  readonly method: string;
  /** `http.request.method_original`, where that differs. At most 64 characters: anybody chooses it. */
  readonly original: string | undefined;
  /** The beginning of the span's name. */
  readonly name: string;
}

const MAX_ORIGINAL = 64;
const shown = new Map<string, ShownMethod>();

/** Returns how `method` is shown where `known` are the known ones. */
export function showMethod(
  method: string,
  known: ReadonlySet<string> = KNOWN_METHODS,
): ShownMethod {
  if (!known.has(method)) {
    return {
      method: OTHER_METHOD,
      original: method.slice(0, MAX_ORIGINAL),
      name: OTHER_METHOD_NAME,
    };
  }
  let found = shown.get(method);
  if (found === undefined) {
    found = Object.freeze({ method, original: undefined, name: method });
    // Bounded by the methods that are known, of which a configuration may change few times.
    if (shown.size < 1000) shown.set(method, found);
  }
  return found;
}
