import moo from 'moo';

/** Databases whose literals, quotes and comments are told apart; `other_sql` reads only what all agree on. */
export type SqlDialect = 'postgresql' | 'mysql' | 'mariadb' | 'sqlite' | 'mssql' | 'other_sql';

/**
 * What a double-quoted token is: the name of something, a value, or `either` where that depends on
 * the schema or on a setting nobody told us. `either` is kept only where a value cannot stand.
 */
export type DoubleQuotes = 'name' | 'value' | 'either';

/** The kinds of token every dialect's rules produce, under the names moo knows them by. */
export type TokenKind =
  | 'open'
  | 'close'
  | 'comma'
  | 'semicolon'
  | 'space'
  | 'comment'
  | 'commentOpen'
  | 'dollar'
  | 'string'
  | 'name'
  | 'either'
  | 'number'
  | 'param'
  | 'word'
  | 'plainWord'
  | 'op'
  | 'broken';

const DEFAULT_QUOTES: Record<SqlDialect, DoubleQuotes> = {
  postgresql: 'name',
  mysql: 'value',
  mariadb: 'value',
  sqlite: 'either',
  mssql: 'name',
  other_sql: 'either',
};

/*
 * The pieces below are written so that each can be read in one way only: no position has two
 * alternatives that both go on, so a failing match costs one walk to the end of the text, and the
 * token stream stops at the first failure. `(?!')` keeps a doubled quote from ending a string early.
 */
const SINGLE = String.raw`'[^']*(?:''[^']*)*'(?!')`;
const DOUBLE = String.raw`"[^"]*(?:""[^"]*)*"(?!")`;
const BACKTICK = '`[^`]*(?:``[^`]*)*`(?!`)';
const BRACKET = String.raw`\[[^\]]*(?:\]\][^\]]*)*\](?!\])`;
const ESCAPED_SINGLE = String.raw`'[^'\\]*(?:(?:\\[^]|'')[^'\\]*)*'(?!')`;
const ESCAPED_DOUBLE = String.raw`"[^"\\]*(?:(?:\\[^]|"")[^"\\]*)*"(?!")`;
// Of databases that differ on `\'`, a text without it reads the same in all.
const PLAIN_SINGLE = String.raw`'[^'\\]*(?:(?:\\[^']|'')[^'\\]*)*'(?!')`;
const PLAIN_DOUBLE = String.raw`"[^"\\]*(?:(?:\\[^"]|"")[^"\\]*)*"(?!")`;

const LETTER = String.raw`A-Za-z_\u0080-\uffff`;
// What may stand before an amount of money in T-SQL.
const CURRENCY = String.raw`$\u00a2-\u00a5\u09f2\u09f3\u0e3f\u17db\u20a0-\u20c0\ufdfc\ufe69\uff04\uffe0\uffe1\uffe5\uffe6`;
const DIGITS = String.raw`(?:\d[\d_]*(?:\.[\d_]*)?|(?<![\w$"\u0060\]\u0080-\uffff])\.\d[\d_]*)`;
// Whatever clings to a number goes with it: `123abc` is no name in most databases.
const NUMBER = String.raw`${DIGITS}(?:[eE][+-]?\d+)?[\w\u0080-\uffff]*`;
const UNQUOTED = String.raw`(?![\w$#@\u0080-\uffff'"&])`;
const DOLLAR_TAG = String.raw`\$(?:[${LETTER}][\w\u0080-\uffff]*)?\$`;

interface Rules {
  comment: string[];
  nestedComments: boolean;
  string: string[];
  name: string[];
  either?: string[];
  number?: string[];
  param: string[];
  dollarQuotes: boolean;
  /** Beginnings of tokens that have no end: reached only when the rules above did not match. */
  broken: string[];
  word?: string;
}

const MYSQL_PREFIX = String.raw`(?:[nNxXbB]|_[A-Za-z][A-Za-z0-9]*)?`;

const MYSQL: Rules = {
  comment: [String.raw`--(?=[\s\x00-\x1f]|$)[^\n]*`, '#[^\\n]*', String.raw`\/\*(?!M?!)[^]*?\*\/`],
  nestedComments: false,
  string: [MYSQL_PREFIX + ESCAPED_SINGLE, String.raw`\\N(?!\w)`],
  name: [BACKTICK],
  // A name may begin with a digit, so that `2fa` is one; a whole number may not cling to letters.
  number: [
    String.raw`0[xX][0-9a-fA-F]+(?![\w$])`,
    String.raw`0[bB][01]+(?![\w$])`,
    String.raw`(?:\d+\.|(?<![\w$"\u0060\]\u0080-\uffff])\.\d)\d*(?:[eE][+-]?\d+)?[\w$\u0080-\uffff]*`,
    String.raw`\d+(?:[eE][+-]?\d+)?(?![\w$\u0080-\uffff])`,
  ],
  either: [String.raw`\d+[\w$\u0080-\uffff]+`],
  param: [String.raw`@{1,2}[\w.$\u0080-\uffff]+`, String.raw`:[${LETTER}][\w$]*`],
  dollarQuotes: true,
  broken: [String.raw`['"\u0060]`, String.raw`(?:[nNxXbB]|_\w+)['"]`, String.raw`\/\*(?!M?!)`],
};

const RULES: Record<SqlDialect, Rules> = {
  postgresql: {
    comment: ['--[^\\n\\r]*'],
    nestedComments: true,
    string: [`[eE]${ESCAPED_SINGLE}`, "[bBxX]'[^']*'", `(?:[nN]|[uU]&)?${SINGLE}`],
    name: [`[uU]&${DOUBLE}`],
    param: ['\\$\\d+'],
    dollarQuotes: true,
    broken: [String.raw`['"]`, "[eEbBxXnN]'", String.raw`[uU]&['"]`],
  },
  mysql: MYSQL,
  mariadb: MYSQL,
  sqlite: {
    // A block comment may end with the text instead of with its mark.
    comment: ['--[^\\n]*', String.raw`\/\*[^]*?(?:\*\/|(?![^]))`],
    nestedComments: false,
    string: [`[xX]?${SINGLE}`],
    name: [BACKTICK, String.raw`\[[^\]]*\]`],
    param: [String.raw`\?\d+`, String.raw`[:@$][\w\u0080-\uffff]+(?:::[\w\u0080-\uffff]+)*`],
    dollarQuotes: false,
    broken: [String.raw`['"\u0060[]`, "[xX]'"],
  },
  mssql: {
    comment: ['--[^\\n]*'],
    nestedComments: true,
    string: [`[nN]?${SINGLE}`],
    name: [BRACKET],
    number: [String.raw`[${CURRENCY}]\s*\d+(?:[,.]\d+)*`, NUMBER],
    param: [String.raw`@{1,2}[\w#$@\u0080-\uffff]+`, String.raw`\$[${LETTER}]\w*`],
    dollarQuotes: false,
    broken: [String.raw`['"[]`, "[nN]'"],
    word: String.raw`(?![${CURRENCY}])[#${LETTER}][\w#$@\u0080-\uffff]*`,
  },
  other_sql: {
    comment: ['--[^\\n]*', String.raw`\/\*(?:[^*\/]|\*(?!\/)|\/(?!\*))*\*\/`],
    nestedComments: false,
    string: [`(?:[bBxXnN]|[uU]&)?${PLAIN_SINGLE}`],
    name: [BACKTICK],
    number: [String.raw`\$\d+(?:[,.]\d+)*`, NUMBER],
    param: [String.raw`[:@]{1,2}[${LETTER}][\w$]*`],
    dollarQuotes: true,
    // `#` and `//` begin a comment in some databases, `q'` and `r'` strings of other rules.
    broken: [
      String.raw`['"\u0060]`,
      String.raw`[a-zA-Z]{1,2}['"]`,
      String.raw`\/\*`,
      '#',
      '\\/\\/',
    ],
  },
};

const DOUBLE_QUOTED: Record<SqlDialect, Record<DoubleQuotes, string>> = {
  postgresql: { name: DOUBLE, value: DOUBLE, either: DOUBLE },
  mysql: { name: DOUBLE, value: MYSQL_PREFIX + ESCAPED_DOUBLE, either: PLAIN_DOUBLE },
  mariadb: { name: DOUBLE, value: MYSQL_PREFIX + ESCAPED_DOUBLE, either: PLAIN_DOUBLE },
  sqlite: { name: DOUBLE, value: DOUBLE, either: DOUBLE },
  mssql: { name: DOUBLE, value: DOUBLE, either: DOUBLE },
  other_sql: { name: PLAIN_DOUBLE, value: PLAIN_DOUBLE, either: PLAIN_DOUBLE },
};

/**
 * The rules under the other setting of the session: `NO_BACKSLASH_ESCAPES` on in MySQL,
 * `standard_conforming_strings` off in PostgreSQL.
 */
const OTHER_RULES: Partial<Record<SqlDialect, Rules>> = {
  postgresql: { ...RULES.postgresql, string: [`[eEnN]?${ESCAPED_SINGLE}`, "[bBxX]'[^']*'"] },
  mysql: { ...MYSQL, string: [MYSQL_PREFIX + SINGLE] },
  mariadb: { ...MYSQL, string: [MYSQL_PREFIX + SINGLE] },
};

/** What decides how a text is read. */
export interface Reading {
  dialect: SqlDialect;
  quotes: DoubleQuotes;
  /** A backslash in a string means what it does not mean by default. */
  otherBackslash?: boolean;
}

/** Reads a text token by token. Declared here, as the published declarations must name no other package. */
export interface Lexer {
  /** Starts over with `text`, in the state that `save` gave. */
  reset(text: string, state?: LexerState): this;
  next(): { type?: string | undefined; value: string; offset: number } | undefined;
  save(): LexerState;
}

/** Where a lexer stands. */
export interface LexerState {
  readonly line: number;
  readonly col: number;
  readonly state: string;
}

const lexers = new Map<string, Lexer>();

/** The lexer for a reading, compiled the first time it is asked for. */
export function lexerFor(reading: Reading): Lexer {
  const key = `${reading.dialect} ${reading.quotes} ${reading.otherBackslash === true}`;
  let lexer = lexers.get(key);
  if (!lexer) lexers.set(key, (lexer = compile(reading)));
  return lexer;
}

/** How else the session may read a text of which strings hold a backslash before a quote. */
export function otherReadings({ dialect, quotes }: Reading): Reading[] {
  if (dialect === 'postgresql') return [{ dialect, quotes, otherBackslash: true }];
  if (dialect !== 'mysql' && dialect !== 'mariadb') return [];
  const other = quotes === 'name' ? 'value' : 'name';
  return [
    { dialect, quotes, otherBackslash: true },
    { dialect, quotes: other },
    { dialect, quotes: other, otherBackslash: true },
  ];
}

/** How double quotes are read when the caller does not say. */
export function quotesOf(dialect: SqlDialect, asked: DoubleQuotes | undefined): DoubleQuotes {
  return dialect === 'postgresql' ? 'name' : (asked ?? DEFAULT_QUOTES[dialect]);
}

function compile({ dialect, quotes, otherBackslash }: Reading): moo.Lexer {
  const rules = (otherBackslash && OTHER_RULES[dialect]) || RULES[dialect];
  const isMysql = dialect === 'mysql' || dialect === 'mariadb';
  const word = rules.word ?? String.raw`[${LETTER}][\w$\u0080-\uffff]*`;
  const quoted = [
    isMysql && otherBackslash ? MYSQL_PREFIX + DOUBLE : DOUBLE_QUOTED[dialect][quotes],
  ];
  const either = [...(rules.either ?? []), ...(quotes === 'either' ? quoted : [])];
  const main: moo.Rules = {
    open: '(',
    close: ')',
    comma: ',',
    semicolon: ';',
    space: { match: /\s+/, lineBreaks: true },
    // Most tokens are words, and most words cannot be the prefix of a string: these go first.
    plainWord: any([`${word}${UNQUOTED}`]),
    comment: any(rules.comment),
    ...(rules.nestedComments ? { commentOpen: { match: '/*', push: 'comment' } } : {}),
    ...(isMysql ? { executed: { match: /\/\*M?!\d*/, push: 'executed' } } : {}),
    string: any([...rules.string, ...(quotes === 'value' ? quoted : [])]),
    name: any([...rules.name, ...(quotes === 'name' ? quoted : [])]),
    ...(rules.dollarQuotes ? { dollar: any([DOLLAR_TAG]) } : {}),
    param: any(rules.param),
    number: any(rules.number ?? [NUMBER]),
    ...(either.length > 0 ? { either: any(either) } : {}),
    broken: any(rules.broken),
    word: any([word]),
    op: [/[<>=~!%^&|]+/, /[-+*/@#?:.{}[\]`]/],
    unreadable: moo.error,
  };
  return moo.states({
    main,
    comment: {
      commentText: { match: /[^*/]+/, lineBreaks: true },
      commentOpen: { match: '/*', push: 'comment' },
      commentClose: { match: '*/', pop: 1 },
      commentMark: /[*/]/,
      unreadable: moo.error,
    },
    // MySQL runs what stands between `/*!` and `*/`, so it is read like the rest of the statement.
    executed: { executedClose: { match: '*/', pop: 1 }, ...main },
  });
}

function any(sources: string[]): RegExp {
  return new RegExp(sources.join('|'));
}
