import type { Operation } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { PostgresOptions, PostgresQuery } from './library-types.ts';

const SYSTEM = 'postgresql';
const DEFAULT_PORT = 5432;

/** The endpoint of an instance whose creation was not observed. */
export const UNKNOWN_ENDPOINT: Endpoint = createEndpoint({ system: SYSTEM });

/**
 * Returns where the queries of an instance go. Only the client knows which of several hosts it
 * uses.
 */
export function endpointFrom(options: PostgresOptions): Endpoint {
  const { host, port, path, database, connection } = options;
  const schema = connection?.['search_path'];
  const namespace = [database, typeof schema === 'string' ? schema.split(',')[0] : undefined];
  return createEndpoint({
    system: SYSTEM,
    namespace: namespace.filter(Boolean).join('|'),
    address: host?.length === 1 ? host[0] : undefined,
    port: path ? undefined : port?.[0],
    defaultPort: DEFAULT_PORT,
  });
}

/** The classes of objects that may occur in a template besides values. */
export interface Fragments {
  Query: Constructor;
  Identifier: Constructor;
  Parameter: Constructor;
  Builder: Constructor;
}
type Constructor = abstract new (...args: never[]) => object;

/** Describes a statement, as far as it can be read before the client has built it. */
export interface ReadStatement {
  text: string | undefined;
  values: unknown[];
  /** Whether `text` is the text that the server will get. */
  isWhole: boolean;
}

/** Reads `query` without running user code. */
export function readStatement(query: PostgresQuery, fragments: Fragments): ReadStatement {
  const { strings, args, tagged } = query;
  if (!tagged) return { text: strings[0], values: [...args], isWhole: strings.length === 1 };
  const read: ReadStatement & { text: string } = { text: '', values: [], isWhole: true };
  appendQuery(read, query, fragments);
  return read;
}

function appendQuery(
  read: ReadStatement & { text: string },
  { strings, args }: PostgresQuery,
  fragments: Fragments,
): void {
  read.text += strings[0] ?? '';
  for (let index = 1; index < strings.length; index++) {
    const value = args[index - 1];
    if (value instanceof fragments.Query) {
      appendQuery(read, value as unknown as PostgresQuery, fragments);
    } else if (value instanceof fragments.Identifier) {
      read.text += (value as { value?: string }).value;
    } else if (value instanceof fragments.Builder || isListOfQueries(value, fragments)) {
      // It has values, so the text has placeholders.
      read.values.push(undefined);
      read.isWhole = false;
    } else {
      read.values.push(
        value instanceof fragments.Parameter ? (value as { value?: unknown }).value : value,
      );
      read.text += `$${read.values.length}`;
    }
    read.text += strings[index];
  }
}

function isListOfQueries(value: unknown, { Query }: Fragments): boolean {
  return Array.isArray(value) && value[0] instanceof Query;
}

export function describeQuery(endpoint: Endpoint, { text, values }: ReadStatement): Operation {
  return { endpoint, text, dialect: SYSTEM, values };
}

/** Returns the number of rows of one result, or of all results of a multi-statement. */
export function countRows(result: unknown): number | undefined {
  if (!Array.isArray(result)) return undefined;
  if (!result.every((item) => Array.isArray(item) && 'command' in item)) return result.length;
  return result.reduce<number>((sum, one: unknown[]) => sum + one.length, 0);
}
