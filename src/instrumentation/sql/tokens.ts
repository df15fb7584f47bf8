import {
  lexerFor,
  otherReadings,
  type Reading,
  type SqlDialect,
  type TokenKind,
} from './dialects.ts';

/** The longest text that is read whole. */
export const READ_LIMIT: number = 32 * 1024;

/** What is read of a longer one. The rest is never looked at, so its length costs nothing. */
export const CUT_LENGTH: number = 8 * 1024;

/**
 * CPU time after which a text is given up: some ten times what `READ_LIMIT` takes. Not time on the
 * wall, which on a busy machine passes while nothing is read.
 */
const TIME_LIMIT_MICROS = 50_000;
const TOKENS_PER_LOOK_AT_THE_CLOCK = 512;

/** What reads the tokens. `end` is where the token ends in the text. */
export interface TokenVisitor {
  token(kind: TokenKind, value: string, end: number): void;
}

/** How reading a text ended. */
export type Ending = 'whole' | 'cut' | 'unreadable' | 'late';

/**
 * Hands the tokens of `text` to `visitor` and tells how that ended.
 *
 * - `whole`: all of it was read.
 * - `cut`: it is longer than `READ_LIMIT`; the visitor has the tokens that end before
 *   `CUT_LENGTH`.
 * - `unreadable`: a token without an end, a character no token begins with, or strings that may end
 *   elsewhere. What the visitor has must not be shown: quotes may have been paired wrongly.
 * - `late`: the time was up. The same holds.
 */
export function readTokens(text: string, reading: Reading, visitor: TokenVisitor): Ending {
  const { ending, doubtful } = read(text, reading, visitor);
  if (!doubtful || (ending !== 'whole' && ending !== 'cut')) return ending;
  // A text that is cut has no end at which a wrong reading would betray itself.
  return ending === 'whole' && isOnlyReading(text, reading) ? 'whole' : 'unreadable';
}

/** Whether no other setting of the session gives `text` other strings and yet a meaning. */
function isOnlyReading(text: string, reading: Reading): boolean {
  const quoted = quotedIn(text, reading);
  return otherReadings(reading).every((other) => {
    const otherwise = quotedIn(text, other);
    return otherwise === undefined || otherwise === quoted;
  });
}

/** Where the quoted tokens of `text` end, or `undefined` if it cannot be read so. */
function quotedIn(text: string, reading: Reading): string | undefined {
  let ends = '';
  const { ending } = read(text, reading, {
    token(kind, _value, end) {
      if (kind === 'string' || kind === 'name' || kind === 'either') ends += `${end} `;
    },
  });
  return ending === 'whole' ? ends : undefined;
}

function read(
  text: string,
  reading: Reading,
  visitor: TokenVisitor,
): { ending: Ending; doubtful: boolean } {
  const cut = text.length > READ_LIMIT;
  const buffer = cut ? text.slice(0, CUT_LENGTH) : text;
  const lexer = lexerFor(reading);
  let deadline = Infinity;
  let doubtful = false;
  let commentDepth = 0;
  let base = 0;
  let count = 0;
  const end = (ending: Ending): { ending: Ending; doubtful: boolean } => ({ ending, doubtful });
  // A token without an end may only seem so because the text was cut.
  const endless = cut ? 'cut' : 'unreadable';
  lexer.reset(buffer);
  for (;;) {
    if (++count % TOKENS_PER_LOOK_AT_THE_CLOCK === 0) {
      const now = cpuMicros();
      if (now > deadline) return end('late');
      if (deadline === Infinity) deadline = now + TIME_LIMIT_MICROS;
    }
    const token = lexer.next();
    if (!token) break;
    const value = token.value;
    const after = base + token.offset + value.length;
    // The token that touches the cut may go on behind it.
    if (cut && after >= CUT_LENGTH) return end('cut');
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
        return end('unreadable');
      case 'broken':
        return end(endless);
      case 'dollar': {
        const close = buffer.indexOf(value, after);
        if (close < 0) return end(endless);
        const literal = buffer.slice(after - value.length, close + value.length);
        base = close + value.length;
        if (cut && base >= CUT_LENGTH) return end('cut');
        visitor.token('string', literal, base);
        lexer.reset(buffer.slice(base), lexer.save());
        continue;
      }
      case 'plainWord':
        visitor.token('word', value, after);
        continue;
      case 'string':
      case 'name':
        doubtful ||= value.includes('\\') && endsDoubtfully(value, reading.dialect);
    }
    visitor.token(token.type as TokenKind, value, after);
  }
  if (commentDepth > 0) return end(endless);
  return end(cut ? 'cut' : 'whole');
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** True for a quoted token that may end elsewhere under another setting of the session. */
function endsDoubtfully(value: string, dialect: SqlDialect): boolean {
  switch (dialect) {
    case 'mysql':
    case 'mariadb':
      return /\\['"]/.test(value);
    case 'postgresql':
      return value.includes("\\'") && !/^[eE"]/.test(value);
    default:
      return false;
  }
}
