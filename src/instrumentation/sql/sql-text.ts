import { LRUCache } from 'lru-cache';
import { quotesOf, type DoubleQuotes, type SqlDialect } from './dialects.ts';
import { SanitisedText } from './sanitised-text.ts';
import { SummaryReader } from './summary.ts';
import { READ_LIMIT, readTokens } from './tokens.ts';

export type { DoubleQuotes, SqlDialect } from './dialects.ts';

export interface DescribeSqlOptions {
  /** Values travel beside the text: it is kept as it is. */
  parameterised?: boolean;
  /**
   * What `"x"` is, where the dialect leaves it to a setting: `name` under MySQL's `ANSI_QUOTES` or
   * in a SQLite built without double-quoted strings.
   */
  doubleQuotes?: DoubleQuotes;
}

/** What may be told about a statement; `undefined` where nothing may. */
export interface SqlDescription {
  /** For `db.query.text`. */
  readonly text: string | undefined;
  /** For `db.query.summary` and the name of the span. */
  readonly summary: string | undefined;
  /** For `db.stored_procedure.name`, of a statement that does nothing but call one. */
  readonly storedProcedure: string | undefined;
}

/** Bytes each cache may hold: there is one for every combination of dialect and options in use. */
const CACHE_BYTES = 1024 * 1024;
const BYTES_PER_ENTRY = 200;
const NOTHING: SqlDescription = Object.freeze({
  text: undefined,
  summary: undefined,
  storedProcedure: undefined,
});

type Cache = LRUCache<string, SqlDescription>;
/** By dialect, and there by `variantOf`. */
const caches = new Map<SqlDialect, (Cache | undefined)[]>();

/**
 * Text and summary of a statement by the stable semantic conventions.
 *
 * Literals become `?`, comments go. A text that cannot be read for certain yields no text, and of
 * its summary at most the first verb; a text with parameters is kept whatever it is. Of a text
 * above 32 KB the first 8 KB are read, and the first 32 KB kept if it has parameters. Never throws.
 */
export function describeSql(
  text: string,
  dialect: SqlDialect,
  options?: DescribeSqlOptions,
): SqlDescription {
  if (typeof text !== 'string' || text === '') return NOTHING;
  const quotes = quotesOf(dialect, options?.doubleQuotes);
  const parameterised = options?.parameterised === true;
  // A long text is not cached: the key would keep it alive, and it is rarely seen twice.
  if (text.length > READ_LIMIT) return describe(text, dialect, quotes, parameterised).description;
  const cache = cacheFor(dialect, variantOf(quotes, parameterised));
  const known = cache.get(text);
  if (known) return known;
  const { description, final } = describe(text, dialect, quotes, parameterised);
  if (final) cache.set(text, description);
  return description;
}

function describe(
  text: string,
  dialect: SqlDialect,
  quotes: DoubleQuotes,
  parameterised: boolean,
): { description: SqlDescription; final: boolean } {
  const reader = new SummaryReader(dialect);
  const sanitised = parameterised ? undefined : new SanitisedText(dialect);
  let before = '';
  const ending = readTokens(
    text,
    { dialect, quotes },
    {
      token(kind, value, end) {
        let read = kind;
        // SQLite takes 'x' for a name where only a table can stand.
        if (kind === 'string' && dialect === 'sqlite' && value[0] === "'" && reader.expectsTable)
          read = 'either';
        const kept =
          read === 'either' && (reader.expectsName || before === '.' || text[end] === '.');
        const upper = kind === 'word' ? value.toUpperCase() : '';
        reader.token(read === 'either' && !kept ? 'string' : read, value, upper);
        sanitised?.token(read, value, upper, reader.statement, kept);
        if (kind !== 'space' && kind !== 'comment') before = value;
      },
    },
  );
  const kept = parameterised ? cutText(text) : undefined;
  if (ending === 'unreadable' || ending === 'late') {
    const summary = reader.firstOperation();
    return {
      description: { text: kept, summary, storedProcedure: undefined },
      final: ending === 'unreadable',
    };
  }
  return {
    description: {
      text: kept ?? (reader.foreign ? undefined : sanitised?.toString() || undefined),
      ...reader.end(),
    },
    final: true,
  };
}

/** The beginning of a text, never with half a character at its end. */
function cutText(text: string): string {
  if (text.length <= READ_LIMIT) return text;
  const last = text.charCodeAt(READ_LIMIT - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isHalf ? READ_LIMIT - 1 : READ_LIMIT);
}

/** `BATCH INSERT t` for statements that share a summary, `BATCH` for others. */
export function batchSummary(summaries: readonly (string | undefined)[]): string {
  const [first] = summaries;
  if (first === undefined || !summaries.every((summary) => summary === first)) return 'BATCH';
  const whole = `BATCH ${first}`;
  return whole.length <= 255 ? whole : 'BATCH';
}

function variantOf(quotes: DoubleQuotes, parameterised: boolean): number {
  const read = quotes === 'name' ? 0 : quotes === 'value' ? 2 : 4;
  return parameterised ? read + 1 : read;
}

function cacheFor(dialect: SqlDialect, variant: number): Cache {
  let variants = caches.get(dialect);
  if (!variants) caches.set(dialect, (variants = []));
  return (variants[variant] ??= new LRUCache({
    maxSize: CACHE_BYTES,
    // Two bytes for a character is the most a string costs.
    sizeCalculation: (description, text) =>
      BYTES_PER_ENTRY +
      2 * (text.length + (description.text?.length ?? 0) + (description.summary?.length ?? 0)),
  }));
}

/** Forgets every statement described so far. @internal */
export function forgetDescriptions(): void {
  caches.clear();
}
