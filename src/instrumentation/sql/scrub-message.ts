import { quotesOf, type SqlDialect } from './dialects.ts';
import { readTokens } from './tokens.ts';

/** The statement an error is about: what it contains is looked for in the message. */
export interface FailedStatement {
  text?: string | undefined;
  dialect?: SqlDialect;
  values?: readonly unknown[] | undefined;
}

/** The most of a message that is shown, and of a statement's literals that are looked for. */
const MESSAGE_LIMIT = 1024;
const LITERALS_LIMIT = 200;

/** The quotes of messages in all languages a server speaks. */
const QUOTE = /['"\u00ab\u00bb\u2018-\u201e\u2039\u203a\u300c\u300d]/;
const QUOTES = new RegExp(QUOTE, 'g');

/**
 * Quoted behind one of these stands the name of something in the schema, which the text of the
 * statement shows as well. A role or a user is not among them.
 */
const NAMED =
  /\b(?:relation|table|column|constraint|index|key|schema|database|sequence|view|function|procedure|type|trigger|extension|field|object|encoding|parameter)\s$/i;
const NAME = /^(['"])([\w$.#-]{1,128})\1(?!\w)/;
/** Quoted, and neither a name nor a value. */
const CLAUSE = /^'(?:field list|(?:where|on|having|order) clause|group statement)'/;
const CONTRACTION = /n't\b/y;

/** How a message may go on behind the last value it quotes. */
const TAIL =
  /^ (?:for (?:key|column) (?:'[^'"]{1,200}'|`[^'"]{1,200}`|"[^'"]{1,200}")(?: at row \d+)?|to data type \w+\.?)$/;

/**
 * The message of a database's error without the values it repeats.
 *
 * Servers quote values but do not escape quotes in them, so everything from the first value's quote
 * to the last quote of the message becomes one `?`. Names of tables, columns, constraints and the
 * like stay where they stand before it. What the statement held as a literal or was given as a
 * value is removed wherever it is repeated.
 */
export function scrubMessage(message: string, statement?: FailedStatement): string {
  if (typeof message !== 'string') return '';
  const scrubbed = scrubUnquoted(scrubQuoted(message.slice(0, MESSAGE_LIMIT)));
  return statement ? removeValues(scrubbed, valuesOf(statement)) : scrubbed;
}

function scrubQuoted(message: string): string {
  let from = 0;
  for (;;) {
    const offset = message.slice(from).search(QUOTE);
    if (offset < 0) return message;
    const at = from + offset;
    const length = harmlessLength(message, at);
    if (length === 0) return message.slice(0, at) + '?' + behindValues(message.slice(at));
    from = at + length;
  }
}

/** How much of what begins with the quote at `at` is no value: 0 if it may be one. */
function harmlessLength(message: string, at: number): number {
  CONTRACTION.lastIndex = at - 1;
  if (CONTRACTION.test(message)) return 1;
  const before = message.slice(0, at);
  const rest = message.slice(at);
  const harmless = NAMED.test(before)
    ? NAME.exec(rest)
    : before.endsWith(' in ') && CLAUSE.exec(rest);
  return harmless ? harmless[0].length : 0;
}

/** What follows the last value of a message that begins with one. */
function behindValues(rest: string): string {
  const quotes = [...rest.matchAll(QUOTES)].map((match) => match.index);
  // The tail may quote names itself, so it is tried from each of the last quotes on.
  for (const at of quotes.slice(-6)) {
    const tail = rest.slice(at + 1);
    if (at > 0 && TAIL.test(tail)) return tail;
  }
  // A single quote has no partner: the value goes on to the end, or was cut there.
  return quotes.length > 1 ? rest.slice(quotes.at(-1)! + 1) : '';
}

function scrubUnquoted(message: string): string {
  return (
    message
      // `Key (email)=(...) already exists`, `Failing row contains (...)`, `key value is (...)`
      .replace(/(\)=|\bcontains |\bis )\((?:.*\)|[^)]*$)/s, '$1(?)')
      .replace(/\/\/[^\s/@]*:[^\s/@]*@/g, '//?@')
      .replace(/\b0x[0-9a-f]{2,}(?: 0x[0-9a-f]{2,})*/gi, '?')
      // A long number is a value, except for a port or a process.
      .replace(/(?<![:\w.])[-+]?\d{5,}(?:\.\d+)?(?![\w.])/g, '?')
  );
}

function removeValues(message: string, values: ReadonlySet<string>): string {
  let result = message;
  for (const value of [...values].sort((a, b) => b.length - a.length)) {
    if (!result.includes(value)) continue;
    if (value.length >= 4) result = result.replaceAll(value, '?');
    else {
      const escaped = value.replace(/[^\w\s]/g, '\\$&');
      result = result.replace(new RegExp(`(?<!\\w)${escaped}(?!\\w)`, 'g'), '?');
    }
  }
  return result;
}

function valuesOf({ text, dialect, values }: FailedStatement): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (value: string): void => {
    if (found.size < LITERALS_LIMIT && value.trim() !== '') found.add(value);
  };
  for (const value of values ?? [])
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
      add(String(value));
  if (typeof text !== 'string' || !dialect) return found;
  const reading = { dialect, quotes: quotesOf(dialect, undefined) };
  readTokens(text, reading, {
    token(kind, value) {
      if (kind === 'number') add(value);
      if (kind === 'string' || kind === 'either') add(contentOf(value));
    },
  });
  return found;
}

/** What a string literal says, without prefix, quotes and escapes. */
function contentOf(literal: string): string {
  const dollar = /^\$\w*\$/.exec(literal)?.[0].length;
  if (dollar !== undefined) return literal.slice(dollar, -dollar);
  const content = literal.slice(literal.search(/['"]/) + 1, -1);
  return content.replace(/''|""|\\[^]/g, (pair) => pair.slice(1));
}
