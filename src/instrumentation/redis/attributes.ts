import type { ModuleExports } from '../module-hooks.ts';
import { byClass, type Failure, type Operation } from '../operation.ts';
import { createEndpoint, type Endpoint } from '../recorder/endpoint.ts';
import { commandNamed } from './command-table.ts';
import { batchText, commandText } from './command-text.ts';
import { exchangeOf } from './message-commands.ts';
import { scriptOf } from './scripts.ts';

/* What the Redis clients have in common: where commands go, how they read, how they fail. */

export const SYSTEM = 'redis';
export const DEFAULT_PORT = 6379;

export interface RedisEndpointParts {
  database?: number | undefined;
  address?: string | undefined;
  port?: number | undefined;
  peerAddress?: string | undefined;
  peerPort?: number | undefined;
}

/**
 * The endpoint of a connection. The number of its database is an attribute and nothing else: the
 * conventions keep it out of the name of a span.
 */
export function redisEndpoint({ database, ...parts }: RedisEndpointParts): Endpoint {
  const endpoint = createEndpoint({ system: SYSTEM, defaultPort: DEFAULT_PORT, ...parts });
  if (database === undefined) return endpoint;
  const attributes = { ...endpoint.attributes, 'db.namespace': String(database) };
  return Object.freeze({ ...endpoint, attributes: Object.freeze(attributes) });
}

/** What commands of modules are called: `FT.SEARCH`. */
const OF_A_MODULE = /^[a-z][a-z0-9_]{0,31}(?:\.[a-z][a-z0-9_]{0,31}){1,3}$/i;

/**
 * The name as it may be shown. What is neither a command of the server's nor has the form of a
 * module's may be anything, as `call('AUTH secret')` is one word to the clients.
 */
function commandName(given: string): string {
  return commandNamed(given) || OF_A_MODULE.test(given) ? given : 'unknown';
}

/** One command. */
export function describeCommand(
  endpoint: Endpoint,
  given: string,
  args: readonly unknown[],
): Operation {
  const name = commandName(given);
  const storedProcedure = scriptOf(name, args);
  const messaging = exchangeOf(name, args);
  const safeText = commandText(name, args);
  return { endpoint, name, storedProcedure, safeText, values: args, messaging };
}

/** A command of a batch, in whatever shape its client has it. */
export interface BatchedCommand {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Several commands that one call sends: `MULTI` in a transaction, `PIPELINE` otherwise. */
export function describeBatch(
  endpoint: Endpoint,
  kind: 'MULTI' | 'PIPELINE',
  commands: readonly BatchedCommand[],
): Operation {
  const [first] = commands;
  const isUniform = first !== undefined && commands.every(({ name }) => name === first.name);
  const script = isUniform ? scriptOf(first.name, first.args) : undefined;
  const isOneScript =
    script !== undefined && commands.every(({ name, args }) => scriptOf(name, args) === script);
  return {
    endpoint,
    storedProcedure: isOneScript ? script : undefined,
    name: isUniform ? `${kind} ${commandName(first.name)}` : kind,
    safeText: batchText(commands, ({ name, args }, room) =>
      commandText(commandName(name), args, room),
    ),
    batchSize: commands.length,
  };
}

/** The classes by which clients know an error that the server sent. */
const REPLY_ERRORS = new Set(['ReplyError', 'ErrorReply', 'SimpleError', 'BlobError']);
/** Those that packages export: in a bundle they may have another name. Written when one is patched. */
const exportedReplyErrors = new WeakSet<object>();

/** Takes note of what `exports` calls an error that the server sent. */
export function noteReplyErrors(exports: ModuleExports): void {
  for (const name of REPLY_ERRORS) {
    const found: unknown = exports?.[name];
    if (typeof found === 'function') exportedReplyErrors.add(found);
  }
}

function isReplyError(error: Error): boolean {
  let found: unknown = error.constructor;
  while (typeof found === 'function' && found !== Error) {
    if (REPLY_ERRORS.has(found.name) || exportedReplyErrors.has(found)) return true;
    found = Object.getPrototypeOf(found);
  }
  return false;
}

/**
 * The prefix of the server's error, a code of the system's, or the error's class. The server's
 * message quotes what it was sent, so nothing else of it is shown.
 */
export function describeError(error: unknown): Failure {
  if (error instanceof Error) {
    if (isReplyError(error)) {
      const prefix = /^[A-Z][A-Z_]{1,31}(?= |$)/.exec(error.message)?.[0];
      if (prefix !== undefined) return { type: prefix, statusCode: prefix, message: prefix };
    }
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)) {
      return { type: code, message: code };
    }
  }
  return byClass(error);
}
