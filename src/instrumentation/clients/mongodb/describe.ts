import { byClass, type Failure, type Operation } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { MongoCommand } from './shapes.ts';

const SYSTEM = 'mongodb';
const DEFAULT_PORT = 27_017;

/** What the driver sends of its own accord. */
const OWN_COMMANDS = new Set([
  'hello',
  'isMaster',
  'ismaster',
  'saslStart',
  'saslContinue',
  'authenticate',
  'getnonce',
  'endSessions',
]);

/** The commands whose value is a collection. Of others it may be anything, a user's name included. */
const OF_COLLECTIONS = new Set([
  'aggregate',
  'collMod',
  'collStats',
  'compact',
  'count',
  'create',
  'createIndexes',
  'createSearchIndexes',
  'delete',
  'distinct',
  'drop',
  'dropIndexes',
  'dropSearchIndex',
  'find',
  'findAndModify',
  'insert',
  'killCursors',
  'listIndexes',
  'mapReduce',
  'update',
  'updateSearchIndex',
  'validate',
]);

/** Where commands carry several operations. */
const BATCHES = ['documents', 'updates', 'deletes', 'ops'];

/** Whether a command is the application's. */
export function isTheUsers(command: MongoCommand): boolean {
  return !OWN_COMMANDS.has(nameOf(command));
}

/** A command for the server at `address`. Nothing but names is taken from it. */
export function describeCommand(
  address: string,
  database: string,
  command: MongoCommand,
): Operation {
  const name = nameOf(command);
  const batch = BATCHES.map((key) => command[key]).find((each) => Array.isArray(each));
  return {
    endpoint: endpointAt(address, database),
    name,
    collection: collectionOf(name, command),
    batchSize: Array.isArray(batch) ? batch.length : undefined,
  };
}

function nameOf(command: MongoCommand): string {
  for (const name in command) return name;
  return 'unknown';
}

function collectionOf(name: string, command: MongoCommand): string | undefined {
  const collection =
    name === 'getMore'
      ? command['collection']
      : OF_COLLECTIONS.has(name)
        ? command[name]
        : undefined;
  return typeof collection === 'string' ? collection : undefined;
}

/** Endpoints by server and database: as many as an application has of these. */
const endpoints = new Map<string, Endpoint>();
const MAX_ENDPOINTS = 1000;

export function endpointAt(address: string, database?: string): Endpoint {
  const key = `${address}/${database ?? ''}`;
  const known = endpoints.get(key);
  if (known) return known;
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  const endpoint = createEndpoint({
    system: SYSTEM,
    namespace: database,
    address: host ?? address,
    port: port === undefined ? undefined : Number(port),
    defaultPort: DEFAULT_PORT,
  });
  if (endpoints.size >= MAX_ENDPOINTS) endpoints.clear();
  endpoints.set(key, endpoint);
  return endpoint;
}

/** The server's code as a string, or the error's class; the server's message quotes values. */
export function describeError(error: unknown): Failure {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'number') {
    return { type: String(code), statusCode: String(code), message: String(code) };
  }
  return byClass(error);
}

/** The error among the results of writes, which the server reports in a reply that is no error. */
export function errorIn(reply: unknown): unknown {
  const { writeErrors } = (reply ?? {}) as { writeErrors?: unknown };
  return Array.isArray(writeErrors) ? (writeErrors[0] as unknown) : undefined;
}
