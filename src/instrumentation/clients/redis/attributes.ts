import type { Endpoint } from '../../recorder/endpoint.ts';
import type { Operation } from '../../operation.ts';
import {
  DEFAULT_PORT,
  describeBatch,
  describeCommand,
  redisEndpoint,
} from '../../redis/attributes.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import type { OperationRecording } from '../../recorder/operation-recording.ts';
import { contextFields } from '../../redis/stream-entries.ts';
import type { CommandArguments, QueuedCommand, RedisClient } from './library-types.ts';

/** By the client itself. Entries live as long as it; one is replaced when it selects a database. */
const endpoints = new WeakMap<RedisClient, Endpoint>();

/** Returns where the commands of `client` go. */
export function endpointOf(client: RedisClient): Endpoint {
  const self = client._self ?? client;
  const known = endpoints.get(self);
  if (known) return known;
  const endpoint = locate(self, self.options?.database ?? 0);
  endpoints.set(self, endpoint);
  return endpoint;
}

/** A command was executed, which may have selected another database. It is not an error. */
export function carriedOut(client: RedisClient, args: readonly unknown[]): undefined {
  const [name, database] = args;
  if (typeof name !== 'string' || name.length !== 6 || !/^select$/i.test(name)) return;
  const self = client._self ?? client;
  endpoints.set(self, locate(self, Number(database)));
}

function locate(client: RedisClient, database: number): Endpoint {
  const { host, port, path } = client.options?.socket ?? {};
  return redisEndpoint(
    path === undefined
      ? { database, address: host ?? 'localhost', port: port ?? DEFAULT_PORT }
      : { database, address: path },
  );
}

export function describe(client: RedisClient, command: readonly unknown[]): Operation {
  return describeCommand(endpointOf(client), nameOf(command[0]), command.slice(1));
}

export function describeQueue(
  client: RedisClient,
  kind: 'MULTI' | 'PIPELINE',
  queue: readonly QueuedCommand[],
): Operation {
  const [only] = queue;
  if (kind === 'PIPELINE' && only && queue.length === 1) return describe(client, only.args);
  const commands = queue.map(({ args }) => ({ name: nameOf(args[0]), args: args.slice(1) }));
  return describeBatch(endpointOf(client), kind, commands);
}

/**
 * Returns a command as it is to be sent: with the trace context, if it adds an entry to a stream.
 */
export function withContext<Args extends readonly unknown[]>(
  recorder: Recorder,
  recording: OperationRecording | undefined,
  args: Args,
): Args {
  const fields = Array.isArray(args)
    ? contextFields(recorder, recording, nameOf(args[0]), args)
    : undefined;
  if (fields === undefined) return args;
  const { preserve } = args as CommandArguments;
  return Object.assign(
    [...args, ...fields],
    preserve !== undefined && { preserve },
  ) as unknown as Args;
}

/** The same for the commands of a batch, which may be executed again and keep their own arguments. */
export function allWithContext(
  recorder: Recorder,
  recording: OperationRecording | undefined,
  commands: readonly QueuedCommand[],
): readonly QueuedCommand[] {
  if (!recorder.config.streamContext) return commands;
  return commands.map((command) => {
    const args = withContext(recorder, recording, command.args);
    return args === command.args ? command : { ...command, args };
  });
}

function nameOf(name: unknown): string {
  return typeof name === 'string' || Buffer.isBuffer(name) ? name.toString() : 'unknown';
}

/**
 * Returns the first error among the replies to a batch, or to a transaction as the server sends
 * them.
 */
export function errorIn(replies: unknown): unknown {
  if (!Array.isArray(replies)) return undefined;
  const executed: unknown = replies.at(-1);
  return (
    replies.find((reply) => reply instanceof Error) ??
    (Array.isArray(executed) ? executed.find((reply) => reply instanceof Error) : undefined)
  );
}
