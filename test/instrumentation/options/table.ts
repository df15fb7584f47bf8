import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { format } from 'prettier';

import {
  CLIENT_OPTIONS,
  resolveClientConfig,
  type ClientConfig,
} from '../../../src/instrumentation/client-config.ts';
import {
  OPTIONS_OF_CLIENTS,
  type ClientName,
} from '../../../src/instrumentation/client-options.ts';
import { CLIENT_NAMES, CLIENTS } from '../../../src/instrumentation/index.ts';
import {
  MESSAGING_OPTIONS,
  resolveMessagingConfig,
  type MessagingConfig,
} from '../../../src/instrumentation/messaging/messaging-config.ts';
import { generatedPart, withGenerated } from '../../support/generated-part.ts';

/*
 * The table of the clients' options in docs/configuration.md, and that of producers and consumers in their
 * document: which there are and their defaults come from the code, what they mean and which clients
 * have them stands here. `describeOptions` holds each client to it.
 */
export const OPTIONS_PAGE: string = fileURLToPath(
  new URL('../../../../docs/configuration.md', import.meta.url),
);
export const MESSAGING_PAGE: string = fileURLToPath(
  new URL('../../../../docs/messaging.md', import.meta.url),
);
const PLACE = 'client-options';
const MESSAGING_PLACE = 'messaging-options';

const having = (option: keyof ClientConfig): ClientName[] =>
  CLIENT_NAMES.filter((name) => OPTIONS_OF_CLIENTS[name].includes(option));

/** The clients that record operations. */
const RECORDING_CLIENTS = having('ignore');
/** The clients whose statements are SQL. */
const SQL_CLIENTS: readonly ClientName[] = having('sanitizeText');
/** Those whose pools are waited for. */
export const WAITING_CLIENTS: readonly ClientName[] = having('acquireSpans');
/** Those that can add a comment to what they send. */
export const COMMENTING_CLIENTS: readonly ClientName[] = having('sqlCommenter');

interface Meaning {
  text: string;
  /** Where the default is no plain value. */
  default?: string;
}

const MEANINGS: Record<keyof ClientConfig, Meaning> = {
  enabled: { text: 'whether the client is instrumented at all' },
  requireParent: {
    text: 'make spans only inside another span: what an idle worker or a pool does of its own accord makes no traces. What BullMQ asks of node-redis is so by default. Durations are measured all the same. For all clients at once: `CLEW_REQUIRE_PARENT`',
    default: defaultOfRequireParent(),
  },
  ignore: { text: 'operations for which it returns true are not recorded' },
  spanName: { text: 'names a span in place of the proposed name' },
  maxTextLength: { text: 'the longest `db.query.text`, in characters; 0 for none' },
  sanitizeText: {
    text: 'makes `db.query.text` of a statement without values, in place of the sanitiser',
  },
  parameters: {
    text: 'the values to be shown as `db.query.parameter.<key>`: names, and positions from 0',
  },
  returnedRows: {
    text: 'how many rows came back, as `db.response.returned_rows`',
  },
  sqlCommenter: {
    text: 'append the trace context to statements that are not prepared: true for W3C trace context, or a propagator',
    default: '`false`',
  },
  acquireSpans: {
    text: 'a span for each wait for a connection of a pool, named after where the pool connects to. `ignore`, `spanName` and the hooks are about operations, which a wait is not',
  },
  legacyAttributes: {
    text: 'add attributes by their old names (`db.system`, `db.statement` ...)',
    default: 'whether `OTEL_SEMCONV_STABILITY_OPT_IN` has `database/dup`',
  },
  publisherContext: {
    text: 'tells the context a message was published in: makes spans of [messages](redis-and-mongodb.md#messages)',
  },
  streamContext: {
    text: 'adds the trace context to entries of [streams](redis-and-mongodb.md#streams), as fields of their own',
  },
  requestHook: { text: 'called with each span at its start, and the operation' },
  responseHook: { text: 'called with each span before its end, and the result or the error' },
};

const MESSAGING_MEANINGS: Record<keyof MessagingConfig, Meaning> = {
  enabled: { text: 'whether the library is instrumented at all' },
  consumerSpan: {
    text: "what a consumer's span is to its producer's: `link`, `child` or `root`",
    default: 'what `CLEW_CONSUMER_SPAN` says, else `link`',
  },
  propagate: { text: 'whether messages carry the trace context of their producer' },
  ignore: {
    text: 'operations for which it returns true are not recorded; a message then carries the context that is active',
  },
  spanName: { text: 'names a span in place of the proposed name' },
  requestHook: { text: 'called with each span at its start, and the operation' },
  responseHook: { text: 'called with each span before its end, and the result or the error' },
};

/** The page with the table as it should be. */
export async function withTable(page: string): Promise<string> {
  return withGenerated(page, PLACE, await table());
}

/** The page of producers and consumers with the table as it should be. */
export async function withMessagingTable(page: string): Promise<string> {
  return withGenerated(page, MESSAGING_PLACE, await messagingTable());
}

/** The table as it is. */
export const currentTable = (): string => generatedPart(readFileSync(OPTIONS_PAGE, 'utf8'), PLACE);

export const currentMessagingTable = (): string =>
  generatedPart(readFileSync(MESSAGING_PAGE, 'utf8'), MESSAGING_PLACE);

export async function table(): Promise<string> {
  const defaults = resolveClientConfig({});
  const rows = explained([...CLIENT_OPTIONS] as (keyof ClientConfig)[], MEANINGS).map((name) => {
    const { text, default: written } = MEANINGS[name];
    const value = written ?? defaultOf(defaults[name]);
    const clients = having(name);
    const isOfAll = RECORDING_CLIENTS.every((client) => clients.includes(client));
    return [`\`${name}\``, value, text, isOfAll ? 'all' : listed(clients)];
  });
  return tableOf(['option', 'default', 'what it does', 'clients'], rows);
}

export async function messagingTable(): Promise<string> {
  const defaults = resolveMessagingConfig({});
  const names = [...MESSAGING_OPTIONS] as (keyof MessagingConfig)[];
  const rows = explained(names, MESSAGING_MEANINGS).map((name) => {
    const { text, default: written } = MESSAGING_MEANINGS[name];
    return [`\`${name}\``, written ?? defaultOf(defaults[name]), text];
  });
  return tableOf(['option', 'default', 'what it does'], rows);
}

/** The names in the order of their meanings, each of which must be written. */
function explained<Name extends string>(
  names: readonly Name[],
  meanings: Record<Name, unknown>,
): Name[] {
  const known = Object.keys(meanings) as Name[];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`No meaning is written for ${unknown.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

async function tableOf(heads: string[], rows: string[][]): Promise<string> {
  const lines = [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return (await format(lines.join('\n'), { parser: 'markdown' })).trim();
}

function defaultOf(value: unknown): string {
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
