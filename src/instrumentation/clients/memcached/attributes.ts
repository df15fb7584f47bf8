import { byClass, type Failure, type Operation } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import type { MemcachedPool, Query } from './library-types.ts';

const SYSTEM = 'memcached';
const DEFAULT_PORT = 11_211;

/** For several servers, or one that is not chosen yet. */
export const SOMEWHERE: Endpoint = createEndpoint({ system: SYSTEM });

/** The number of arguments after the keys of a command. */
const VALUES: Readonly<Record<string, number>> = {
  get: 0,
  gets: 0,
  delete: 0,
  set: 1,
  add: 1,
  replace: 1,
  append: 1,
  prepend: 1,
  cas: 2,
  incr: 1,
  decr: 1,
  touch: 1,
};

const COMMAND_NAME = /^[a-z_]+(?: [a-z]+)?$/;

/** Describes a query for `endpoint`: its command and keys. */
export function describeQuery(query: Query, endpoint: Endpoint): Operation {
  const { type } = query;
  const name = typeof type === 'string' && COMMAND_NAME.test(type) ? type : 'unknown';
  return { endpoint, name, safeText: textOf(name, query) };
}

function textOf(name: string, { key }: Query): string {
  const values = VALUES[name];
  if (values === undefined) return name;
  const keys = Array.isArray(key) ? key : [key];
  return [name, ...keys.map(String), ...Array<string>(values).fill('?')].join(' ');
}

/** Endpoints by server; an application has only so many of these. */
const endpoints = new Map<string, Endpoint>();
const MAX_ENDPOINTS = 1000;

export function endpointAt(server: string): Endpoint {
  const known = endpoints.get(server);
  if (known) return known;
  const [, host, port] = /^(.*):(\d+)$/.exec(server) ?? [];
  const endpoint = createEndpoint({
    system: SYSTEM,
    address: host ?? server,
    port: port === undefined ? DEFAULT_PORT : Number(port),
    defaultPort: DEFAULT_PORT,
  });
  if (endpoints.size >= MAX_ENDPOINTS) endpoints.clear();
  endpoints.set(server, endpoint);
  return endpoint;
}

/**
 * An error response that the client does not report as one, or a connection that ended before the
 * response.
 */
export class Unanswered extends Error {
  readonly statusCode: string | undefined;

  constructor(message: string, statusCode?: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/**
 * Returns the first word of the server's response, if the client keeps it, otherwise the error's
 * class.
 */
export function describeError(error: unknown): Failure {
  // If there are several, the first.
  const one: unknown = Array.isArray(error) ? error[0] : error;
  const { notStored, message, code } = (one ?? {}) as {
    notStored?: unknown;
    message?: unknown;
    code?: unknown;
  };
  if (notStored === true) return { type: 'NOT_STORED', statusCode: 'NOT_STORED' };
  if (message === 'Received an ERROR response') return { type: 'ERROR', statusCode: 'ERROR' };
  if (one instanceof Unanswered) {
    const { statusCode } = one;
    return { type: statusCode ?? 'connection_closed', statusCode };
  }
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? { type: code } : byClass(one);
}

/** A connection is in use while a response is due on it. */
export function readPool({ pool, limit }: MemcachedPool): PoolReading {
  const used = pool.filter(({ metaData }) => (metaData?.length ?? 0) > 0).length;
  return { used, idle: pool.length - used, max: limit };
}
