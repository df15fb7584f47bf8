import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/*
 * Who may ask. Every page that is open in a browser can send requests to a loopback address, and a
 * name that its owner points to 127.0.0.1 makes them same-origin (DNS rebinding). So the Host header
 * has to be a loopback name, a request of another origin is refused, and where the server listens
 * elsewhere each request has to bring the token.
 */

export interface GuardOptions {
  /** Required from each request where it is set. */
  token?: string | undefined;
}

/** Why a request is refused. */
export interface Refusal {
  status: 401 | 403;
  message: string;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
export const TOKEN_COOKIE = 'clew_token';

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** Jaeger's own page has scripts and styles in its HTML. */
const JAEGER_UI_POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; font-src 'self' data:; base-uri 'self'; form-action 'none'; " +
  "frame-ancestors 'none'";

/** Undefined: the request may be answered. */
export function refusalOf(request: IncomingMessage, { token }: GuardOptions): Refusal | undefined {
  const { host = '', origin } = request.headers;
  if (token === undefined && !LOOPBACK.test(host)) {
    const message = `The Host header has to be localhost or a loopback address.`;
    return { status: 403, message };
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, message: 'Requests from other origins are refused.' };
  }
  const site = request.headers['sec-fetch-site'];
  const isNavigation = request.headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isNavigation) {
    return { status: 403, message: 'Requests from other sites are refused.' };
  }
  if (token === undefined || isToken(tokenOf(request), token)) return undefined;
  const message =
    'Open the address that `clew view` printed, or send `Authorization: Bearer TOKEN`.';
  return { status: 401, message };
}

/** The token in the address, of the first visit. */
export function tokenInUrl(url: URL, { token }: GuardOptions): string | undefined {
  const given = url.searchParams.get('token') ?? undefined;
  return token !== undefined && isToken(given, token) ? token : undefined;
}

function tokenOf({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === TOKEN_COOKIE) return value;
  }
  return undefined;
}

function isToken(given: string | undefined, token: string): boolean {
  if (given === undefined) return false;
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The headers of every answer. */
export function protect(response: ServerResponse, page: 'own' | 'jaeger-ui' = 'own'): void {
  const policy = page === 'own' ? PAGE_POLICY : JAEGER_UI_POLICY;
  response.setHeader('content-security-policy', policy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cache-control', 'no-store');
}
