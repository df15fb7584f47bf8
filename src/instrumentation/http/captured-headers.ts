/*
 * Headers that are recorded on request. What carries a secret is never recorded, also where somebody
 * asks for it.
 */

const SECRET =
  /^(?:authorization|proxy-authorization|authentication-info|cookie2?|set-cookie2?)$|auth|token|secret|passw|credential|api-?key|session|signature|jwt|csrf|xsrf/;

/** Whether a header of this name carries a secret. */
export function isSecretHeader(name: string): boolean {
  return SECRET.test(name.toLowerCase());
}

/** A header that is recorded: how Node names it, and the attribute it becomes. */
export interface CapturedHeader {
  readonly name: string;
  readonly attribute: string;
}

/** The headers of `names` that may be recorded, as attributes that begin with `prefix`. */
export function capturedHeaders(names: readonly string[], prefix: string): CapturedHeader[] {
  return names
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && !isSecretHeader(name))
    .map((name) => ({ name, attribute: `${prefix}.${name}` }));
}

/** The value of a header as the conventions have it: a list of strings. */
export function headerValues(value: unknown): string[] | undefined {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : undefined;
}
