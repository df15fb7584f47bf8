import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import { byClass, type Failure, type Operation } from '../../operation.ts';
import type { PgClient } from './library-types.ts';

const SYSTEM = 'postgresql';
const DEFAULT_PORT = 5432;

/** Entries are collected with their connection; one is replaced once its peer is known. */
const endpoints = new WeakMap<PgClient, Endpoint>();

/** Returns where the queries of `client` go. */
export function endpointOf(client: PgClient): Endpoint {
  const known = endpoints.get(client);
  if (known?.peerAddress) return known;
  const stream = client.connection?.stream;
  if (known && !stream?.remoteAddress) return known;
  const { host, port, database, options } = client.connectionParameters ?? {};
  const isSocketFile = host?.startsWith('/') === true;
  const endpoint = createEndpoint({
    system: SYSTEM,
    namespace: namespaceOf(database, options),
    address: host ?? undefined,
    port: isSocketFile ? undefined : port,
    defaultPort: DEFAULT_PORT,
    peerAddress: stream?.remoteAddress,
    peerPort: stream?.remotePort,
  });
  endpoints.set(client, endpoint);
  return endpoint;
}

/** For a connection of which nothing is known yet. */
export const UNKNOWN_ENDPOINT: Endpoint = createEndpoint({ system: SYSTEM });

/** Describes a statement for the server at `endpoint`. */
export function describeQuery(
  endpoint: Endpoint,
  { text, values }: { text?: unknown; values?: unknown },
): Operation {
  return {
    endpoint,
    text: typeof text === 'string' ? text : undefined,
    dialect: SYSTEM,
    values,
  };
}

/** `{database}|{schema}`, as far as known: the schema if the options set a search path. */
function namespaceOf(database?: string | null, options?: string | null): string | undefined {
  const path = /search_path\s*=\s*(?:"([^"]+)"|([\w$]+))/.exec(options ?? '');
  const schema = path?.[1] ?? path?.[2];
  if (!schema) return database ?? undefined;
  return database ? `${database}|${schema}` : schema;
}

/**
 * The codes of errors raised by functions in the database, whose messages come from the
 * application.
 */
const RAISED = /^P0/;

/** Returns an error's SQLSTATE, or its class. */
export function describeError(error: unknown): Failure {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: string };
  if (typeof code !== 'string' || code === '') return byClass(error);
  if (!/^[0-9A-Z]{5}$/.test(code)) return { type: code, message: code };
  return { type: code, statusCode: code, message: RAISED.test(code) ? code : message };
}

/** Returns the number of rows of one result, or of all results of a multi-statement. */
export function countRows(result: unknown): number | undefined {
  if (Array.isArray(result)) {
    return result.reduce<number>((sum, one) => sum + (countRows(one) ?? 0), 0);
  }
  const { rows } = (result ?? {}) as { rows?: unknown };
  return Array.isArray(rows) ? rows.length : undefined;
}
