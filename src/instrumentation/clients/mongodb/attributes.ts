import { byClass, type Failure, type Operation } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { MongoCommand } from './library-types.ts';

const SYSTEM = 'mongodb';
const DEFAULT_PORT = 27_017;

/** Commands that the driver sends by itself. */
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

/**
 * The commands whose value is a collection. In others it may be anything, including the name of a
 * user.
 */
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

/** The fields in which commands carry several operations. */
const BATCHES = ['documents', 'updates', 'deletes', 'ops'];

/** Whether a command is the application's. */
export function isTheUsers(command: MongoCommand): boolean {
  return !OWN_COMMANDS.has(nameOf(command));
}

/** Describes a command for the server at `address`. Only names are read from it. */
export function describeCommand(
  address: string,
  database: string,
  command: MongoCommand,
): Operation {
  const name = nameOf(command);
  const isName = COMMAND_NAME.test(name);
  return {
    endpoint: endpointAt(address, database),
    name: isName ? name : 'unknown',
    collection: collectionOf(name, command),
    batchSize: WRITES.has(name) ? batchSizeOf(command) : undefined,
  };
}

function batchSizeOf(command: MongoCommand): number | undefined {
  for (const key of BATCHES) {
    const list = listIn(command[key]);
    if (list !== undefined) return list.length;
  }
  return undefined;
}

/** A list of documents, which newer drivers keep apart from the command. */
function listIn(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value;
  const { documents } = (value ?? {}) as { documents?: unknown };
  return Array.isArray(documents) ? documents : undefined;
}

function nameOf(command: MongoCommand): string {
  for (const name in command) return name;
  return '';
}

/** All of the server's commands have this form; anything else is not a command. */
const COMMAND_NAME = /^[a-z]\w{0,63}$/i;

function collectionOf(name: string, command: MongoCommand): string | undefined {
  if (name === 'explain') {
    const explained = (command[name] ?? {}) as MongoCommand;
    return collectionOf(nameOf(explained), explained);
  }
  const collection =
    name === 'getMore'
      ? command['collection']
      : OF_COLLECTIONS.has(name)
        ? command[name]
        : undefined;
  return typeof collection === 'string' ? collection : undefined;
}

/** Endpoints by server and database; an application has only so many of these. */
const endpoints = new Map<string, Map<string | undefined, Endpoint>>();
let known = 0;
const MAX_ENDPOINTS = 1000;

export function endpointAt(address: string, database?: string): Endpoint {
  return endpoints.get(address)?.get(database) ?? addEndpoint(address, database);
}

function addEndpoint(address: string, database: string | undefined): Endpoint {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  const endpoint = createEndpoint({
    system: SYSTEM,
    namespace: database,
    address: host ?? address,
    port: port === undefined ? undefined : Number(port),
    defaultPort: DEFAULT_PORT,
  });
  if (known >= MAX_ENDPOINTS) {
    endpoints.clear();
    known = 0;
  }
  known += 1;
  const ofServer = endpoints.get(address) ?? new Map<string | undefined, Endpoint>();
  endpoints.set(address, ofServer.set(database, endpoint));
  return endpoint;
}

/**
 * Returns the server's code as a string, or the error's class; the server's message quotes values.
 */
export function describeError(error: unknown): Failure {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'number') {
    return { type: String(code), statusCode: String(code), message: String(code) };
  }
  return byClass(error);
}

/**
 * Returns the error among the results of writes, which the server reports in a successful reply.
 * Never throws: an unreadable reply counts as no error.
 */
export function errorIn(command: MongoCommand, reply: unknown): unknown {
  if (!WRITES.has(nameOf(command)) || typeof reply !== 'object' || reply === null) return undefined;
  const { writeErrors, writeConcernError, nErrors, cursor } = (read(reply) ?? {}) as WriteReply;
  if (Array.isArray(writeErrors) && writeErrors.length > 0) return writeErrors[0];
  if (Number(nErrors) > 0) return cursor?.firstBatch?.find(({ ok }) => Number(ok) === 0);
  return writeConcernError;
}

/** Newer drivers read a reply lazily. */
function read(reply: object): unknown {
  const { toObject } = reply as { toObject?: () => unknown };
  try {
    return typeof toObject === 'function' ? toObject.call(reply) : reply;
  } catch {
    return undefined;
  }
}

const WRITES = new Set(['insert', 'update', 'delete', 'findAndModify', 'bulkWrite']);

/**
 * The fields for errors in replies to writes; replies to `bulkWrite` have them in a cursor of
 * results.
 */
interface WriteReply {
  writeErrors?: readonly unknown[];
  writeConcernError?: unknown;
  nErrors?: unknown;
  cursor?: { firstBatch?: readonly { ok?: unknown }[] };
}
