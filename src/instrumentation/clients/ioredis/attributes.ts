import type { Endpoint } from '../../recorder/endpoint.ts';
import { describeBatch, describeCommand, redisEndpoint } from '../../redis/attributes.ts';
import type { Operation } from '../../operation.ts';
import type { RedisCommand, RedisConnection } from './library-types.ts';

/** For a cluster: which server has the key is not known yet. */
const UNKNOWN_ENDPOINT: Endpoint = redisEndpoint({});

interface Located {
  endpoint: Endpoint;
  stream: RedisConnection['stream'];
  database: number;
}
/**
 * Entries are collected with their connection; one is replaced when it reconnects or selects a
 * database.
 */
const located = new WeakMap<RedisConnection, Located>();

/** Returns where the commands of `connection` go at the moment. */
export function endpointOf(connection: RedisConnection): Endpoint {
  if (connection.isCluster) return UNKNOWN_ENDPOINT;
  const { condition, options, stream } = connection;
  const database = condition?.select ?? options.db ?? 0;
  const known = located.get(connection);
  if (known?.stream === stream && known?.database === database) return known.endpoint;
  const { remoteAddress, remotePort } = stream ?? {};
  const endpoint = redisEndpoint({
    database,
    // The sentinels' answer is valid for one connection, and only the socket shows what it was.
    ...(options.sentinels
      ? { address: remoteAddress, port: remotePort }
      : options.path
        ? { address: options.path }
        : { address: options.host, port: options.port }),
    peerAddress: remoteAddress,
    peerPort: remotePort,
  });
  // The socket does not know its peer before it is connected.
  if (remoteAddress !== undefined || options.path) {
    located.set(connection, { endpoint, stream, database });
  }
  return endpoint;
}

/** Describes a command of `connection`. */
export function describe(connection: RedisConnection, { name, args }: RedisCommand): Operation {
  return describeCommand(endpointOf(connection), name, args);
}

/** Describes what a pipeline sends: a transaction if it begins with `multi`. */
export function describePipeline(
  connection: RedisConnection,
  queue: readonly RedisCommand[],
): Operation {
  const endpoint = endpointOf(connection);
  const isTransaction = isMulti(queue);
  const commands = isTransaction
    ? queue.filter(({ name }) => !/^(?:multi|exec)$/i.test(name))
    : queue;
  const [only] = commands;
  if (!isTransaction && commands.length === 1 && only !== undefined) {
    return describeCommand(endpoint, only.name, only.args);
  }
  return describeBatch(endpoint, isTransaction ? 'MULTI' : 'PIPELINE', commands);
}

export function isMulti(queue: readonly RedisCommand[]): boolean {
  return queue[0]?.name.toLowerCase() === 'multi';
}

/**
 * Returns the first error among the results of a pipeline; for a transaction, the error of its end,
 * if any.
 */
export function errorIn(
  results: readonly (readonly [error: unknown, result?: unknown])[],
  isTransaction: boolean,
): unknown {
  if (isTransaction) {
    const [error, replies] = results.at(-1) ?? [];
    if (error) return error;
    if (Array.isArray(replies)) return replies.find((reply) => reply instanceof Error);
  }
  return results.find(([error]) => error)?.[0];
}
