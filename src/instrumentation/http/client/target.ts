import { isIPv6 } from 'node:net';

import { redactUrl } from '../redact-url.ts';

/** Where a request goes. */
export interface Target {
  readonly scheme: 'http' | 'https';
  /** Without brackets. */
  readonly host: string | undefined;
  readonly port: number | undefined;
}

const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** The port that goes without saying. */
export function defaultPort(scheme: 'http' | 'https'): number {
  return DEFAULT_PORT[scheme];
}

/** Splits `host:port`, the host in brackets where it is an IPv6 address. */
export function splitAuthority(authority: string): {
  host: string | undefined;
  port: number | undefined;
} {
  const at = authority.lastIndexOf('@');
  const open = at === -1 ? authority : authority.slice(at + 1);
  const colon = open.lastIndexOf(':');
  const hasPort =
    colon > open.lastIndexOf(']') && open.indexOf(':') >= (open[0] === '[' ? 0 : colon);
  const host = hasPort ? open.slice(0, colon) : open;
  return {
    host: withoutBrackets(host) || undefined,
    port: hasPort ? portOf(open.slice(colon + 1)) : undefined,
  };
}

/** A port in a form that anybody chose. */
export function portOf(value: unknown): number | undefined {
  const port = typeof value === 'number' ? value : Number.parseInt(String(value), 10);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

export function withoutBrackets(host: string): string {
  return host[0] === '[' && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** `url.full`, redacted. `path` may be an absolute URL itself, as proxies are sent. */
export function fullUrl({ scheme, host, port }: Target, path: string): string {
  if (path[0] !== '/' && /^https?:/i.test(path)) return redactUrl(path);
  const shown = host === undefined ? '' : isIPv6(host) ? `[${host}]` : host;
  const suffix = port === undefined || port === DEFAULT_PORT[scheme] ? '' : `:${port}`;
  const slash = path[0] === '/' ? '' : '/';
  return redactUrl(`${scheme}://${shown}${suffix}${slash}${path}`);
}
