import { optionError } from '../../base/errors.ts';
import { loadCrypto } from '../../base/node-crypto.ts';

/** The request header that requests a recording of this one request. */
export const RECORD_HEADER = 'x-clew-record';

const MIN_SECRET_LENGTH = 16;
const MAX_LIFETIME_SECONDS = 3600;
const MAX_NONCES = 10_000;

export interface SignOptions {
  secret: string;
  method: string;
  /** The path with its query, as it is sent. */
  url: string;
  /** How many seconds the header is valid, at most an hour. Default 300. */
  lifetimeSeconds?: number;
  /** Milliseconds since 1970. Default: now. */
  now?: number;
}

/**
 * Returns a value for `x-clew-record` that is valid once per verifier, for one method and path, for
 * a short time. Each process, and each worker thread, has its own verifier.
 *
 * A recording makes a request about twenty times as expensive, so only clients with the secret may
 * request one.
 */
export function signRecordHeader(options: SignOptions): string {
  const { secret, method, url, lifetimeSeconds = 300, now = Date.now() } = options;
  checkSecret(secret);
  if (!(lifetimeSeconds > 0 && lifetimeSeconds <= MAX_LIFETIME_SECONDS)) {
    throw optionError('lifetime', `between 1 and ${MAX_LIFETIME_SECONDS} seconds`, lifetimeSeconds);
  }
  const head = `v1.${Math.floor(now / 1000) + lifetimeSeconds}.${loadCrypto().randomBytes(12).toString('hex')}`;
  return `${head}.${macOf(secret, head, method, url)}`;
}

/** Verifies headers against one secret and remembers which were used. */
export class RecordHeaderVerifier {
  readonly #secret: string;
  /** Used nonces by their expiry; an expired header is refused for that reason alone. */
  readonly #used = new Map<string, number>();

  constructor(secret: string) {
    checkSecret(secret);
    this.#secret = secret;
  }

  /** Whether the header was signed for this request, is still valid and was not used before. */
  accepts(header: unknown, method: string, url: string, now: number = Date.now()): boolean {
    if (typeof header !== 'string' || header.length > 200) return false;
    const [version, expires, nonce, mac, ...rest] = header.split('.');
    if (version !== 'v1' || !expires || !nonce || !mac || rest.length > 0) return false;
    const expected = Buffer.from(macOf(this.#secret, `v1.${expires}.${nonce}`, method, url));
    const given = Buffer.from(mac);
    if (given.length !== expected.length || !loadCrypto().timingSafeEqual(given, expected))
      return false;
    const seconds = now / 1000;
    const until = Number(expires);
    if (!(until >= seconds && until <= seconds + MAX_LIFETIME_SECONDS + 60)) return false;
    return this.#use(nonce, until, seconds);
  }

  #use(nonce: string, until: number, seconds: number): boolean {
    if (this.#used.has(nonce)) return false;
    if (this.#used.size >= MAX_NONCES) {
      for (const [old, expires] of this.#used) if (expires < seconds) this.#used.delete(old);
      // Forgetting a valid nonce would let its header be used again.
      if (this.#used.size >= MAX_NONCES) return false;
    }
    this.#used.set(nonce, until);
    return true;
  }
}

function macOf(secret: string, head: string, method: string, url: string): string {
  return loadCrypto()
    .createHmac('sha256', secret)
    .update(`${head}\n${method} ${url}`)
    .digest('hex');
}

function checkSecret(secret: string): void {
  if (secret.length >= MIN_SECRET_LENGTH) return;
  // The value is a secret: only its length is shown.
  const expected = `at least ${MIN_SECRET_LENGTH} characters long`;
  throw optionError('CLEW_RECORD_SECRET', expected, `${secret.length} characters`);
}
