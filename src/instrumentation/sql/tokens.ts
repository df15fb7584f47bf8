import { lexerFor, type DoubleQuotes, type SqlDialect, type TokenKind } from './dialects.ts';

/** The most of a text that is read. What follows is never looked at, so its length costs nothing. */
export const READ_LIMIT: number = 32 * 1024;

/** A text that takes longer than this is given up. Reading `READ_LIMIT` takes a tenth of it. */
const TIME_LIMIT_MILLIS = 50;
const TOKENS_PER_LOOK_AT_THE_CLOCK = 512;

/** What reads the tokens. `end` is where the token ends in the text. */
export interface TokenVisitor {
  token(kind: TokenKind, value: string, end: number): void;
}

export interface ReadOptions {
  dialect: SqlDialect;
  quotes: DoubleQuotes;
}

/**
 * Hands the tokens of `text` to `visitor` and tells how that ended.
 *
 * - `whole`: all of it was read.
 * - `cut`: it is longer than `READ_LIMIT`; the visitor has the tokens that end before the limit.
 * - `unreadable`: a token without an end, or a character no token begins with. What the visitor has
 *   must not be shown: quotes may have been paired wrongly from the start.
 * - `late`: the time was up. The same holds.
 */
export function readTokens(
  text: string,
  options: ReadOptions,
  visitor: TokenVisitor,
): 'whole' | 'cut' | 'unreadable' | 'late' {
  const cut = text.length > READ_LIMIT;
  const buffer = cut ? text.slice(0, READ_LIMIT) : text;
  const lexer = lexerFor(options.dialect, options.quotes);
  // Where the text may only seem to be unreadable because it was cut.
  const end = (): 'cut' | 'unreadable' => (cut && !doubtful ? 'cut' : 'unreadable');
  const deadline = performance.now() + TIME_LIMIT_MILLIS;
  let doubtful = false;
  let commentDepth = 0;
  let base = 0;
  let count = 0;
  lexer.reset(buffer);
  for (;;) {
    if (++count % TOKENS_PER_LOOK_AT_THE_CLOCK === 0 && performance.now() > deadline) return 'late';
    const token = lexer.next();
    if (!token) break;
    const value = token.value;
    const after = base + token.offset + value.length;
    // The token that touches the limit may go on behind it.
    if (cut && after >= READ_LIMIT) return end();
    switch (token.type) {
      case 'commentOpen':
        commentDepth++;
        continue;
      case 'commentText':
      case 'commentMark':
        continue;
      case 'commentClose':
        if (--commentDepth === 0) visitor.token('comment', '', after);
        continue;
      case 'executed':
      case 'executedClose':
        visitor.token('comment', '', after);
        continue;
      case 'unreadable':
        return 'unreadable';
      case 'broken':
        return end();
      case 'dollar': {
        const close = buffer.indexOf(value, after);
        if (close < 0) return end();
        const literal = buffer.slice(after - value.length, close + value.length);
        base = close + value.length;
        if (cut && base >= READ_LIMIT) return end();
        visitor.token('string', literal, base);
        lexer.reset(buffer.slice(base), lexer.save());
        continue;
      }
      case 'plainWord':
        visitor.token('word', value, after);
        continue;
      case 'string':
        doubtful ||= endsDoubtfully(value, options.dialect);
    }
    visitor.token(token.type as TokenKind, value, after);
  }
  if (commentDepth > 0) return end();
  return cut ? end() : 'whole';
}

/**
 * True for a string that ends elsewhere under another setting of the session: with
 * `NO_BACKSLASH_ESCAPES` on in MySQL, or `standard_conforming_strings` off in PostgreSQL. A misread
 * text betrays itself at its end, by a quote too many; a cut text has no end to betray it.
 */
function endsDoubtfully(value: string, dialect: SqlDialect): boolean {
  switch (dialect) {
    case 'mysql':
    case 'mariadb':
      return value.includes("\\'") || value.includes('\\"');
    case 'postgresql':
      return value.includes("\\'");
    default:
      return false;
  }
}
