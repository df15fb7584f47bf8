/*
 * Removes from URLs what the semantic conventions call sensitive (`url.full`, `url.query`): user and
 * password, and the values of query parameters that sign a request. Everything else is left as it was
 * written: its encoding, its order, what is malformed in it.
 */

const REDACTED = 'REDACTED';

/** The keys of query parameters whose values are redacted, as the conventions list them. */
export const SENSITIVE_QUERY_KEYS: readonly string[] = [
  'X-Amz-Signature',
  'X-Amz-Credential',
  'X-Amz-Security-Token',
  'AWSAccessKeyId',
  'Signature',
  'sig',
  'X-Goog-Signature',
];

const SENSITIVE = new Set(SENSITIVE_QUERY_KEYS);
/** A cheap test first: few queries have such a key, or one that hides behind an encoding. */
const SUSPICIOUS = new RegExp(`${SENSITIVE_QUERY_KEYS.join('|')}|%`);
/** One parameter, which some servers end at a semicolon, too. */
const PARAMETER = /([^=&;]*)(=?)([^&;]*)([&;]?)/y;

/** Returns `query`, which begins after the `?`, with the values of sensitive keys redacted. */
export function redactQuery(query: string): string {
  if (!SUSPICIOUS.test(query)) return query;
  let redacted = '';
  for (let at = 0; at < query.length;) {
    PARAMETER.lastIndex = at;
    const [whole = '', key = '', , value] = PARAMETER.exec(query) ?? [];
    if (value && SENSITIVE.has(decoded(key))) {
      redacted += `${key}=${REDACTED}`;
      // Not up to a semicolon, which may be a part of the secret.
      const next = query.indexOf('&', at);
      at = next === -1 ? query.length : next;
    } else {
      redacted += whole;
      at += whole.length;
    }
  }
  return redacted;
}

/** Returns a path with its query redacted, as requests have it in their first line. */
export function redactPath(path: string): string {
  const start = path.indexOf('?');
  if (start === -1) return path;
  return path.slice(0, start + 1) + redactQuery(path.slice(start + 1));
}

const CREDENTIALS = /^([a-z][a-z\d+.-]*:)?[/\\]{2}[^/\\?#]*@/i;

/** Returns an absolute URL without user and password, its query redacted. */
export function redactUrl(url: string): string {
  const open = url.includes('@')
    ? url.replace(CREDENTIALS, (_, scheme = '') => `${scheme}//${REDACTED}:${REDACTED}@`)
    : url;
  return redactPath(open);
}

/** As a server would read it; what is malformed stands for itself. */
function decoded(key: string): string {
  if (!key.includes('%') && !key.includes('+')) return key;
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
