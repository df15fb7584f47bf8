import type { Attributes } from '@opentelemetry/api';

import {
  CLIENT_ADDRESS,
  HTTP_REQUEST_BODY_SIZE,
  HTTP_REQUEST_METHOD,
  HTTP_REQUEST_METHOD_ORIGINAL,
  NETWORK_PEER_ADDRESS,
  NETWORK_PEER_PORT,
  NETWORK_PROTOCOL_VERSION,
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_PATH,
  URL_QUERY,
  URL_SCHEME,
  USER_AGENT_ORIGINAL,
} from '../attributes.ts';
import { headerValues } from '../captured-headers.ts';
import type { ShownMethod } from '../known-methods.ts';
import { pathOf, queryOf } from '../path-patterns.ts';
import { redactQuery } from '../redact-url.ts';
import type { ResolvedServerConfig } from './server-config.ts';

/** The parts of a socket that are used. */
export interface PeerSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly encrypted?: boolean;
}

/** A request of either protocol, as its attributes are made from it. */
export interface IncomingHead {
  readonly method: string;
  /** The path with its query, or a whole URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The host with its port, as the client asked for it. */
  readonly authority: string | undefined;
  /** `http` or `https`. */
  readonly scheme: string;
  /** `1.1`, `2`. */
  readonly version: string;
  readonly socket: PeerSocket | undefined;
}

/**
 * The attributes of a request that are known at its beginning, by the stable conventions for HTTP
 * servers. Samplers see all of them.
 */
export function attributesOfRequest(
  head: IncomingHead,
  { method, original }: ShownMethod,
  config: ResolvedServerConfig,
): Attributes {
  const { headers, socket, url } = head;
  const peer = plainAddress(socket?.remoteAddress);
  const forwarded = config.trustedProxies?.read(peer, headers);
  const scheme = forwarded?.scheme ?? head.scheme;
  const attributes: Attributes = {
    [HTTP_REQUEST_METHOD]: method,
    [URL_SCHEME]: scheme,
    [NETWORK_PROTOCOL_VERSION]: head.version,
  };
  // A tunnel is asked for by a host and a port alone.
  if (head.method !== 'CONNECT') attributes[URL_PATH] = pathOf(url);
  if (original !== undefined) attributes[HTTP_REQUEST_METHOD_ORIGINAL] = original;
  const query = queryOf(url);
  if (query !== undefined) attributes[URL_QUERY] = redactQuery(query);
  addServer(attributes, forwarded?.host ?? head.authority, scheme, socket);
  const client = forwarded?.client ?? peer;
  if (client !== undefined) attributes[CLIENT_ADDRESS] = client;
  if (peer !== undefined) {
    attributes[NETWORK_PEER_ADDRESS] = peer;
    const port = socket?.remotePort;
    if (port !== undefined) attributes[NETWORK_PEER_PORT] = port;
  }
  const userAgent = headers['user-agent'];
  if (typeof userAgent === 'string') attributes[USER_AGENT_ORIGINAL] = userAgent;
  const size = sizeOf(headers['content-length']);
  if (size !== undefined) attributes[HTTP_REQUEST_BODY_SIZE] = size;
  for (const { name, attribute } of config.requestHeaders) {
    const values = headerValues(headers[name]);
    if (values !== undefined) attributes[attribute] = values;
  }
  return attributes;
}

/** The size that a `content-length` header gives, in bytes. */
export function sizeOf(header: unknown): number | undefined {
  if (typeof header !== 'string' && typeof header !== 'number') return undefined;
  const size = Number(header);
  return Number.isSafeInteger(size) && size >= 0 && header !== '' ? size : undefined;
}

function addServer(
  attributes: Attributes,
  authority: string | undefined,
  scheme: string,
  socket: PeerSocket | undefined,
): void {
  if (authority === undefined || authority === '') {
    const address = plainAddress(socket?.localAddress);
    if (address === undefined) return;
    attributes[SERVER_ADDRESS] = address;
    if (socket?.localPort !== undefined) attributes[SERVER_PORT] = socket.localPort;
    return;
  }
  const { address, port } = hostOf(authority);
  attributes[SERVER_ADDRESS] = address;
  attributes[SERVER_PORT] = port ?? (scheme === 'https' ? 443 : 80);
}

const MAX_PORT = 65_535;

interface Host {
  readonly address: string;
  readonly port: number | undefined;
}

/** The last one that was asked for: a server is known by few names. */
let lastAuthority = '';
let lastHost: Host = { address: '', port: undefined };

/** `example.com`, `example.com:8080`, `[::1]:8080`. */
function hostOf(authority: string): Host {
  if (authority === lastAuthority) return lastHost;
  const [, address = authority, digits] =
    /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  lastAuthority = authority;
  lastHost = {
    address: address.startsWith('[') ? address.slice(1, -1) : address,
    // Anybody can send a number that is no port.
    port: port !== undefined && port <= MAX_PORT ? port : undefined,
  };
  return lastHost;
}

/** An IPv4 address that a socket of both families shows as one of IPv6, by itself. */
function plainAddress(address: string | undefined): string | undefined {
  if (address === undefined || address === '') return undefined;
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
