import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createConnection, type Connection } from 'mysql2/promise';
import pg from 'pg';
import { describeSql, type SqlDialect } from '../../../src/instrumentation/sql/sql-text.ts';
import { requireService, skipSuite } from '../../support/services.ts';
import { generate } from './generator.ts';
import { RUNS, SEED } from './properties.ts';

/*
 * Running servers as the oracle: what a server returns for `SELECT ...` is a value, so no marker in
 * it may be in the text we show. Each server is asked in every mode that moves the end of a string,
 * while `describeSql` is told of none.
 */

type Run = (sql: string) => Promise<unknown[]>;

const QUOTES: Record<string, string[]> = {
  mysql: ["'", '"', "N'", "_utf8'"],
  postgresql: ["'", "E'", "U&'", '$$', '$a$'],
  sqlite: ["'", '"'],
};
const INSIDE = [
  "'",
  "''",
  '\\',
  "\\'",
  '\\\\',
  '"',
  '""',
  '\\"',
  '$$',
  '$a$',
  ' ',
  ', ',
  '--',
  '-- ',
  '#',
  '/*',
  '*/',
  '\n',
  '`',
  'é',
];

/** Statements of a few strings, with a marker in each place where a value or a word may be. */
const statements: fc.Arbitrary<(quotes: string[]) => string> = fc
  .array(
    fc.record({
      quote: fc.nat(20),
      inside: fc.array(fc.constantFrom(...INSIDE), { maxLength: 4 }),
      behind: fc.constantFrom('', '', '', ' ', '\n', '/* c */', ' -- c\n', ' AS x'),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((items) => (quotes) => {
    let marker = 0;
    const shown = items.map(({ quote, inside, behind }) => {
      const open = quotes[quote % quotes.length]!;
      const close = open.startsWith('$') ? open : open.at(-1)!;
      const content = inside.map((fragment) => `${fragment}zq${marker++}`).join('');
      return `${open}zq${marker++}${content}${close}${behind}`;
    });
    return `SELECT ${shown.join(', ')}`;
  });

/** Asserts it for `count` statements, and that the server accepted a fair share of them. */
async function assertNothingShown(run: Run, dialect: SqlDialect, count: number): Promise<void> {
  const quotes = QUOTES[dialect]!;
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(statements, async (build) => {
      const sql = build(quotes);
      let values: unknown[];
      try {
        values = await run(sql);
      } catch {
        return;
      }
      accepted++;
      const { text, summary } = describeSql(sql, dialect);
      for (const marker of values.join(' ').match(/zq\d+/g) ?? [])
        assert.doesNotMatch(`${text} ${summary}`, new RegExp(`${marker}(?!\\d)`), sql);
    }),
    { seed: SEED, numRuns: count },
  );
  assert.ok(accepted > count / 20, `only ${accepted} of ${count} statements were accepted`);
}

/**
 * Asserts that what is shown of a statement is one to the server when the statement is.
 * `isStatement` says whether it parses, whatever it then misses.
 */
async function assertStillStatements(
  isStatement: (sql: string) => Promise<boolean>,
  dialect: SqlDialect,
): Promise<void> {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 120, size: 'max' }), async (bytes) => {
      const { sql } = generate(dialect, bytes);
      const { text } = describeSql(sql, dialect);
      if (text === undefined || !(await isStatement(sql))) return;
      accepted++;
      // A number may stand where a parameter may not, as in `varchar(?)`.
      const filled = text.replaceAll('?', '1');
      assert.ok(await isStatement(filled), `${sql}\nis a statement, but not\n${filled}`);
    }),
    { seed: SEED, numRuns: RUNS * 0.1 },
  );
  assert.ok(accepted > RUNS * 0.05, `only ${accepted} statements were accepted`);
}

describe(`what a server takes for a value (SQL_SEED=${SEED})`, function () {
  this.timeout(120_000);

  describe('MariaDB', () => {
    let connection: Connection;
    before(async function () {
      connection = await createConnection(await requireService(this, 'mariadb'));
    });
    after(() => connection?.end());

    for (const mode of [
      '',
      'NO_BACKSLASH_ESCAPES',
      'ANSI_QUOTES',
      'ANSI_QUOTES,NO_BACKSLASH_ESCAPES',
    ])
      it(`is not shown, with sql_mode '${mode}'`, async () => {
        await connection.query(`SET SESSION sql_mode = '${mode}'`);
        const run: Run = async (sql) => {
          const [rows] = await connection.query({ sql, rowsAsArray: true });
          return (rows as unknown[][]).flat();
        };
        await assertNothingShown(run, 'mysql', RUNS * 0.15);
      });

    it('parses what is shown wherever it parses the statement', async () => {
      await connection.query("SET SESSION sql_mode = ''");
      const isStatement = async (sql: string): Promise<boolean> => {
        try {
          await connection.query('PREPARE statement FROM ?', [sql]);
          return true;
        } catch (error) {
          return (error as { errno?: number }).errno !== 1064;
        }
      };
      await assertStillStatements(isStatement, 'mysql');
    });
  });

  describe('PostgreSQL', () => {
    let client: pg.Client;
    before(async function () {
      client = new pg.Client(await requireService(this, 'postgresql'));
      await client.connect();
    });
    after(() => client?.end());

    for (const mode of ['on', 'off'])
      it(`is not shown, with standard_conforming_strings ${mode}`, async () => {
        await client.query(
          `SET standard_conforming_strings = ${mode}; SET escape_string_warning = off`,
        );
        const run: Run = async (sql) => {
          const result = await client.query({ text: sql, rowMode: 'array' });
          return result.rows.flat();
        };
        await assertNothingShown(run, 'postgresql', RUNS * 0.15);
      });
  });

  describe('SQLite', () => {
    let sqlite: any;
    before(async function () {
      // Node 20 has none, and its types know of none.
      const name: string = 'node:sqlite';
      sqlite = await import(name).catch(() => skipSuite(this, 'node:sqlite: this Node has none'));
    });

    for (const enableDoubleQuotedStringLiterals of [true, false])
      it(`is not shown, with double-quoted strings ${enableDoubleQuotedStringLiterals ? 'on' : 'off'}`, async () => {
        const database = new sqlite.DatabaseSync(':memory:', { enableDoubleQuotedStringLiterals });
        const run: Run = async (sql) => Object.values(database.prepare(sql).get());
        await assertNothingShown(run, 'sqlite', RUNS * 0.15);
        database.close();
      });

    it('parses what is shown wherever it parses the statement', async () => {
      const database = new sqlite.DatabaseSync(':memory:');
      const isStatement = async (sql: string): Promise<boolean> => {
        try {
          database.prepare(sql);
          return true;
        } catch (error) {
          return !/syntax error|unrecognized token|incomplete input/.test(String(error));
        }
      };
      await assertStillStatements(isStatement, 'sqlite');
      database.close();
    });
  });
});
