import type { SqlDialect } from '../../../src/instrumentation/sql/sql-text.ts';

/** How a dialect writes what generated statements are made of. `content` holds the planted secret. */
export interface Profile {
  strings: ((content: string) => string)[];
  numbers: string[];
  params: string[];
  columns: string[];
  tables: string[];
  /** Whole tokens that stand between others. */
  comments: ((content: string) => string)[];
  booleans: boolean;
  call: boolean;
  cteWrites: boolean;
}

const doubled = (content: string, quote: string): string =>
  quote + content.replaceAll(quote, quote + quote) + quote;
const escaped = (content: string, quote: string): string =>
  quote + content.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`) + quote;
const dollar = (content: string): string => {
  const tag = ['$$', '$t$', '$body$', '$q1$', '$nobody_has_this$'].find(
    (t) => !content.includes(t),
  );
  return `${tag}${content}${tag}`;
};
const single = (content: string): string => doubled(content, "'");
const NUMBERS = ['7351', '7351.5', '1.7351', '.7351', '7351.', '7351e2', '7351E-3', '1.7351e+2'];
/** Names as they stand, alike in all dialects. */
export const PLAIN: readonly string[] = [
  'a',
  'b',
  'user_id',
  'n1h1',
  'value',
  'Ünïcode',
  'date',
  'key',
  'x2',
];
const lineComment = (content: string): string => ` -- ${content.replaceAll('\n', ' ')}\n`;
const blockComment = (content: string): string =>
  `/* ${content.replaceAll('*/', '* /').replaceAll('/*', '/ *')} */`;
const nestedComment = (content: string): string => `/* ${blockComment(content)} zqx */`;

const MYSQL: Profile = {
  strings: [
    (content) => escaped(content, "'"),
    (content) => doubled(content.replaceAll('\\', '\\\\'), "'"),
    (content) => escaped(content, '"'),
    (content) => doubled(content.replaceAll('\\', '\\\\'), '"'),
    (content) => `N${escaped(content, "'")}`,
    (content) => `_utf8mb4${escaped(content, "'")}`,
    () => "x'7351'",
    () => "B'0111'",
  ],
  numbers: [...NUMBERS, '0x7351'],
  params: ['?', '@v', '@@session.x'],
  columns: [...PLAIN, '`a b`', "`it's`", '`a``b`', '`-- x`', '`SELECT`', 't.a', '`t`.`from`'],
  tables: [
    't',
    'users',
    'db.orders',
    '2fa_codes',
    '`my table`',
    "`o'brien`",
    '`db`.`a``b`',
    '`/* x`',
  ],
  comments: [
    lineComment,
    (content) => ` # ${content.replaceAll('\n', ' ')}\n`,
    blockComment,
    (content) => `/*+ ${blockComment(content).slice(3)}`,
  ],
  booleans: true,
  call: true,
  cteWrites: false,
};

export const PROFILES: Record<SqlDialect, Profile> = {
  postgresql: {
    strings: [
      single,
      (content) => `E${escaped(content, "'")}`,
      (content) => `e${doubled(content.replaceAll('\\', '\\\\'), "'")}`,
      dollar,
      (content) => `U&${single(content.replaceAll('\\', '\\\\'))}`,
      () => "X'7351'",
      () => "b'0111'",
      (content) => `N${single(content)}`,
    ],
    numbers: [...NUMBERS, '0x7351', '7_7351'],
    params: ['$1', '$22'],
    columns: [
      ...PLAIN,
      'a$b',
      '"a b"',
      '"it\'s"',
      '"a""b"',
      '"-- x"',
      '"SELECT"',
      't.a',
      '"t"."from"',
    ],
    tables: [
      't',
      'users',
      'public.orders',
      '"my table"',
      '"o\'brien"',
      '"s"."a""b"',
      '"/* x"',
      '"E\'"',
    ],
    comments: [lineComment, blockComment, nestedComment],
    booleans: true,
    call: true,
    cteWrites: true,
  },
  mysql: MYSQL,
  mariadb: MYSQL,
  sqlite: {
    strings: [single, (content) => doubled(content, '"'), () => "x'7351'", () => "X'7351'"],
    numbers: [...NUMBERS, '0x7351'],
    params: ['?', '?1', ':name', '@name', '$name'],
    columns: [...PLAIN, '[a b]', "[it's]", '`a``b`', '`-- x`', '`SELECT`', 't.a', '"t"."from"'],
    tables: [
      't',
      'users',
      'main.orders',
      '"my table"',
      '"o\'brien"',
      "'o''brien'",
      '[/* x]',
      '`E"`',
    ],
    comments: [lineComment, blockComment],
    booleans: true,
    call: false,
    cteWrites: false,
  },
  mssql: {
    strings: [single, (content) => `N${single(content)}`],
    numbers: [...NUMBERS, '0x7351', '$7351.20', '£7351'],
    params: ['@p1', '@@identity'],
    columns: [...PLAIN, '[a b]', "[it's]", '[a]]b]', '[-- x]', '"SELECT"', 't.a', '[t].[from]'],
    tables: [
      't',
      'users',
      'dbo.orders',
      'db..t',
      '#temp',
      '[my table]',
      "[o'brien]",
      '[s].[a]]b]',
      '"/* x"',
    ],
    comments: [lineComment, blockComment, nestedComment],
    booleans: true,
    call: false,
    cteWrites: false,
  },
  other_sql: {
    strings: [
      single,
      (content) => doubled(content, '"'),
      dollar,
      (content) => `N${single(content)}`,
    ],
    numbers: [...NUMBERS, '0x7351', '$7351'],
    params: ['?', ':name', '@name'],
    columns: [...PLAIN, '`a b`', "`it's`", '`-- x`', 't.a', '"t"."from"'],
    tables: ['t', 'users', 's.orders', '"my table"', '"o\'brien"', '`/* x`'],
    comments: [lineComment, blockComment],
    booleans: true,
    call: true,
    cteWrites: false,
  },
};
