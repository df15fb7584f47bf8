import { quotesOf, type SqlDialect } from './dialects.ts';
import { readTokens } from './tokens.ts';

/** The statement an error is about: what it contains is looked for in the message. */
export interface FailedStatement {
  text?: string | undefined;
  dialect?: SqlDialect;
  values?: readonly unknown[] | undefined;
}

/** The most of a message that is shown, in characters. */
const MESSAGE_LIMIT = 1024;
/** The most of a message that is read. Nothing is cut off before it was read. */
const READ_LIMIT = 32 * 1024;
/** The longest message of a server that cuts them, in bytes, less what half a character may take. */
const SERVER_LIMIT = 508;
/** How many of a statement's values are looked for. */
const VALUES_LIMIT = 1000;
/** A longer value is looked for by its beginning, as a server may repeat no more of it. */
const BEGINNING = 256;

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

/** What stands in parentheses or before a host, in a message that is whole and in one that is cut. */
const IN_PARENTHESES = /(\)=|\bcontains |\bis )\((?:.*\)|[^)]*$)/s;
const IN_PARENTHESES_CUT = /(\)=|\bcontains |\bis )\(.*$/s;
const PASSWORD = /\/\/[^\s/@]*:[^\s/@]*@/g;
const PASSWORD_CUT = /\/\/[^\s/@]*:[^\s/@]*(?:@|$)/g;

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
  const read = message.slice(0, READ_LIMIT);
  const isCut = read.length < message.length || isCutByServer(message, statement?.dialect);
  const values = statement ? valuesOf(statement) : [];
  // Whole, before what is quoted or long in one is replaced and the rest no longer looks like it.
  const { text: unquoted, isOver } = scrubQuoted(
    // `Key (email)=(...) already exists`, `Failing row contains (...)`, `key value is (...)`
    removeWhole(read, values).replace(isCut ? IN_PARENTHESES_CUT : IN_PARENTHESES, '$1(?)'),
    isCut,
  );
  const scrubbed = scrubUnquoted(unquoted, isCut);
  const kept = scrubbed.slice(0, MESSAGE_LIMIT + BEGINNING);
  const shown = removeValues(kept, values);
  // At the end may stand a part of a value that is too short to be found.
  const endsInPart = kept.length < scrubbed.length || (isCut && !isOver);
  const end = endsInPart ? Math.max(0, shown.length - BEGINNING) : shown.length;
  return shown.slice(0, Math.min(end, MESSAGE_LIMIT));
}

/** MySQL and MariaDB keep messages in a buffer of 512 bytes. */
function isCutByServer(message: string, dialect: SqlDialect | undefined): boolean {
  const isBounded = dialect === 'mysql' || dialect === 'mariadb';
  return isBounded && Buffer.byteLength(message) >= SERVER_LIMIT;
}

/** `isOver`: it ends with the first value, as where that ends is not known in a message that is cut. */
function scrubQuoted(message: string, isCut: boolean): { text: string; isOver: boolean } {
  let from = 0;
  for (;;) {
    const offset = message.slice(from).search(QUOTE);
    if (offset < 0) return { text: message, isOver: false };
    const at = from + offset;
    const length = harmlessLength(message, at);
    if (length === 0) {
      const rest = isCut ? '' : behindValues(message.slice(at));
      return { text: `${message.slice(0, at)}?${rest}`, isOver: true };
    }
    from = at + length;
  }
}

/** How much of what begins with the quote at `at` is no value: 0 if it may be one. */
function harmlessLength(message: string, at: number): number {
  CONTRACTION.lastIndex = at - 1;
  if (CONTRACTION.test(message)) return 1;
  const before = message.slice(Math.max(0, at - 32), at);
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

function scrubUnquoted(message: string, isCut: boolean): string {
  return (
    message
      .replace(isCut ? PASSWORD_CUT : PASSWORD, '//?@')
      .replace(/\b0x[0-9a-f]{2,}(?: 0x[0-9a-f]{2,})*/gi, '?')
      // A long number is a value, except for a port or a process.
      .replace(/(?<![:\w.])[-+]?\d{5,}(?:\.\d+)?(?![\w.])/g, '?')
  );
}

/** The quotes of a value stay: between them and others may be what is not known to be one. */
function removeWhole(message: string, values: readonly string[]): string {
  let result = message;
  for (const value of values) {
    if (value.length < 4) break;
    if (value.length > BEGINNING) result = cutAt(result, value);
    else if (result.includes(value)) {
      const [first = '', ...others] = value.match(QUOTES) ?? [];
      result = result.replaceAll(value, () => first + (others.at(-1) ?? '') || '?');
    }
  }
  return result;
}

function removeValues(message: string, values: readonly string[]): string {
  let result = message;
  for (const value of values) {
    if (value.length > BEGINNING) result = cutAt(result, value);
    else if (!result.includes(value)) continue;
    else if (value.length >= 4) result = result.replaceAll(value, '?');
    else {
      const escaped = value.replace(/[^\w\s]/g, '\\$&');
      result = result.replace(new RegExp(`(?<!\\w)${escaped}(?!\\w)`, 'g'), '?');
    }
  }
  return result;
}

function cutAt(message: string, value: string): string {
  const at = message.indexOf(value.slice(0, BEGINNING));
  return at < 0 ? message : `${message.slice(0, at)}?`;
}

/** Those to look for, the longest first. */
function valuesOf({ text, dialect, values }: FailedStatement): string[] {
  const found = new Set<string>();
  const add = (value: string): void => {
    if (found.size < VALUES_LIMIT && value.trim() !== '') found.add(value);
  };
  for (const value of values ?? [])
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
      add(String(value));
  if (typeof text === 'string' && dialect) addLiterals(text, dialect, add);
  return [...found].sort((a, b) => b.length - a.length);
}

function addLiterals(text: string, dialect: SqlDialect, add: (value: string) => void): void {
  const reading = { dialect, quotes: quotesOf(dialect, undefined) };
  readTokens(text, reading, {
    token(kind, value) {
      if (kind === 'number') add(value);
      if (kind === 'string' || kind === 'either') add(contentOf(value));
    },
  });
}

/** What a string literal says, without prefix, quotes and escapes. */
function contentOf(literal: string): string {
  const dollar = /^\$\w*\$/.exec(literal)?.[0].length;
  if (dollar !== undefined) return literal.slice(dollar, -dollar);
  const content = literal.slice(literal.search(/['"]/) + 1, -1);
  return content.replace(/''|""|\\[^]/g, (pair) => pair.slice(1));
}
