import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { format } from 'prettier';

import {
  CLIENT_OPTIONS,
  resolveClientConfig,
  type ClientConfig,
} from '../../../src/instrumentation/client-config.ts';
import { CLIENT_NAMES, CLIENTS, type ClientName } from '../../../src/instrumentation/index.ts';
import { generatedPart, withGenerated } from '../../support/generated-part.ts';

/*
 * The table of the clients' options in the README: which there are and their defaults come from the
 * code, what they mean and which clients have them stands here. `describeOptions` holds each client
 * to it.
 */
export const README: string = fileURLToPath(new URL('../../../../README.md', import.meta.url));
const PLACE = 'client-options';

/** The clients whose statements are SQL. */
export const SQL_CLIENTS: readonly ClientName[] = [
  'pg',
  'mysql2',
  'mysql',
  'mariadb',
  'postgres',
  'pglite',
  'better-sqlite3',
  'node:sqlite',
  'sqlite3',
];
/** Those whose pools are waited for. */
export const WAITING_CLIENTS: readonly ClientName[] = [
  'pg',
  'mysql2',
  'mysql',
  'mariadb',
  'postgres',
];
/** Those that can add a comment to what they send. */
export const COMMENTING_CLIENTS: readonly ClientName[] = WAITING_CLIENTS;

interface Meaning {
  text: string;
  /** Who has it; all that record operations where it is left out. */
  clients?: readonly ClientName[];
  /** Where the default is no plain value. */
  default?: string;
}

const MEANINGS: Record<keyof ClientConfig, Meaning> = {
  enabled: { text: 'whether the client is instrumented at all' },
  requireParent: {
    text: 'make spans only inside another span: what an idle worker or a pool does of its own accord makes no traces. Durations are measured all the same. For all clients at once: `CLEW_REQUIRE_PARENT`',
    default: defaultOfRequireParent(),
  },
  ignore: { text: 'operations for which it returns true are not recorded' },
  spanName: { text: 'names a span in place of the proposed name' },
  maxTextLength: { text: 'the longest `db.query.text`, in characters; 0 for none' },
  sanitizeText: {
    text: 'makes `db.query.text` of a statement without values, in place of the sanitiser',
    clients: SQL_CLIENTS,
  },
  parameters: {
    text: 'the values to be shown as `db.query.parameter.<key>`: names, and positions from 0',
    // A command's arguments are its values.
    clients: [...SQL_CLIENTS, 'redis', 'ioredis'],
  },
  returnedRows: {
    text: 'how many rows came back, as `db.response.returned_rows`',
    clients: CLIENT_NAMES.filter((name) => CLIENTS[name].responses.countRows !== undefined),
  },
  sqlCommenter: {
    text: 'append the trace context to statements that are not prepared: true for W3C trace context, or a propagator',
    clients: COMMENTING_CLIENTS,
    default: '`false`',
  },
  acquireSpans: {
    text: 'a span for each wait for a connection of a pool, named after where the pool connects to. `ignore`, `spanName` and the hooks are about operations, which a wait is not',
    clients: WAITING_CLIENTS,
  },
  legacyAttributes: {
    text: 'add attributes by their old names (`db.system`, `db.statement` ...)',
    default: 'whether `OTEL_SEMCONV_STABILITY_OPT_IN` has `database/dup`',
  },
  publisherContext: {
    text: 'tells the context a message was published in: makes spans of [messages](docs/redis-and-mongodb.md#messages)',
    clients: ['redis', 'ioredis'],
  },
  requestHook: { text: 'called with each span at its start, and the operation' },
  responseHook: { text: 'called with each span before its end, and the result or the error' },
};

/** The README with the table as it should be. */
export async function withTable(page: string): Promise<string> {
  return withGenerated(page, PLACE, await table());
}

/** The table as it is. */
export const currentTable = (): string => generatedPart(readFileSync(README, 'utf8'), PLACE);

export async function table(): Promise<string> {
  const names = [...CLIENT_OPTIONS] as (keyof ClientConfig)[];
  const known = Object.keys(MEANINGS) as (keyof ClientConfig)[];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`No meaning is written for ${unknown.join(', ')}`);
  const rows = known
    .filter((name) => names.includes(name))
    .map((name) => {
      const { text, clients, default: written } = MEANINGS[name];
      return [`\`${name}\``, written ?? defaultOf(name), text, clients ? listed(clients) : 'all'];
    });
  const heads = ['option', 'default', 'what it does', 'clients'];
  const lines = [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return (await format(lines.join('\n'), { parser: 'markdown' })).trim();
}

function defaultOf(name: keyof ClientConfig): string {
  const value = resolveClientConfig({})[name];
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  return `\`${JSON.stringify(value)}\``;
}

function defaultOfRequireParent(): string {
  const requiring = CLIENT_NAMES.filter((name) => CLIENTS[name].requireParent);
  return `\`true\` for ${requiring.join(' and ')}, else \`false\`: as in OpenTelemetry's own packages`;
}

function listed(clients: readonly ClientName[]): string {
  const isSql = SQL_CLIENTS.every((name) => clients.includes(name));
  const others = clients.filter((name) => !isSql || !SQL_CLIENTS.includes(name));
  return [...(isSql ? ['SQL'] : []), ...others.map((name) => `\`${name}\``)].join(', ');
}
