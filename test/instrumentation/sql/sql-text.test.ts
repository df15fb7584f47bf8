import assert from 'node:assert/strict';
import { spy, stub } from 'sinon';
import {
  batchSummary,
  describeSql,
  forgetDescriptions,
  type SqlDialect,
} from '../../../src/instrumentation/sql/sql-text.ts';
import { CUT_LENGTH, READ_LIMIT } from '../../../src/instrumentation/sql/tokens.ts';
import { same, SHARED, type Expectation } from './shared-statements.ts';
import { BY_DIALECT } from './statements.ts';
import { UNREADABLE } from './unreadable.ts';

const DIALECTS = Object.keys(BY_DIALECT) as SqlDialect[];

function check([statement, text, summary]: Expectation, dialect: SqlDialect): void {
  const description = describeSql(statement, dialect);
  assert.deepEqual(
    { text: description.text, summary: description.summary },
    { text: text === same ? statement : text || undefined, summary },
    statement,
  );
}

describe('describeSql', () => {
  beforeEach(forgetDescriptions);

  for (const dialect of DIALECTS) {
    it(`reads what all dialects share, as ${dialect}`, () => {
      for (const expectation of SHARED) check(expectation, dialect);
    });

    it(`reads the literals, quotes and comments of ${dialect}`, () => {
      for (const expectation of BY_DIALECT[dialect]) check(expectation, dialect);
    });

    it(`gives no text for what it cannot read as ${dialect}, and no word of it`, () => {
      for (const statement of UNREADABLE[dialect]) {
        const { text, summary } = describeSql(statement, dialect);
        assert.equal(text, undefined, statement);
        assert.ok(summary === undefined || summary === 'SELECT', `${statement}: ${summary}`);
      }
    });
  }

  it('reads the statements of MySQL the same for MariaDB', () => {
    for (const expectation of BY_DIALECT.mysql) check(expectation, 'mariadb');
  });

  it('keeps parameterised text as it is and still summarises it', () => {
    const text = "SELECT * FROM t WHERE a = $1 AND b = 'kept' -- kept";
    assert.deepEqual(describeSql(text, 'postgresql', { parameterised: true }), {
      text,
      summary: 'SELECT t',
      storedProcedure: undefined,
    });
    const unreadable = "SELECT 'x";
    assert.equal(describeSql(unreadable, 'mysql', { parameterised: true }).text, unreadable);
  });

  it('takes double quotes for names or values as configured', () => {
    const statement = 'SELECT "a" FROM "t" WHERE b = "c"';
    assert.deepEqual(describeSql(statement, 'mysql', { doubleQuotes: 'name' }).text, statement);
    assert.equal(describeSql(statement, 'sqlite', { doubleQuotes: 'name' }).summary, 'SELECT "t"');
    const asValues = describeSql(statement, 'sqlite', { doubleQuotes: 'value' });
    assert.equal(asValues.text, 'SELECT ? FROM ? WHERE b = ?');
    assert.equal(asValues.summary, 'SELECT');
  });

  it('names the procedure when the statement calls one and does nothing else', () => {
    const procedure = (text: string, dialect: SqlDialect): string | undefined =>
      describeSql(text, dialect).storedProcedure;
    assert.equal(procedure("CALL shop.refill('x')", 'mysql'), 'shop.refill');
    assert.equal(procedure('EXEC [dbo].[refill] 1', 'mssql'), '[dbo].[refill]');
    assert.equal(procedure('{call refill(?)}', 'other_sql'), 'refill');
    assert.equal(procedure('EXECUTE plan_1(2)', 'postgresql'), undefined);
    assert.equal(procedure('CALL a(); SELECT 1', 'mysql'), undefined);
    assert.equal(procedure('SELECT refill(1)', 'postgresql'), undefined);
  });

  it('cuts the summary at 255 characters, between two names', () => {
    const tables = Array.from({ length: 50 }, (_, i) => `very_long_table_name_${i}`);
    const { summary } = describeSql(`SELECT * FROM ${tables.join(', ')}`, 'postgresql');
    assert.equal(summary, `SELECT ${tables.slice(0, 10).join(' ')}`);
    const exact = 'x'.repeat(255 - 'SELECT '.length);
    assert.equal(describeSql(`SELECT * FROM ${exact}`, 'sqlite').summary?.length, 255);
    assert.equal(describeSql(`SELECT * FROM ${exact}y`, 'sqlite').summary, 'SELECT');
  });

  describe('with a long text', () => {
    // A busy machine must not decide where a text ends: the clock stands still.
    beforeEach(() => void stub(process, 'cpuUsage').returns({ user: 0, system: 0 }));

    const filler = (length: number): string => 'a, '.repeat(Math.ceil(length / 3)).slice(0, length);

    it('reads a text of the limit whole, and the beginning of one that is longer', () => {
      const tail = ' b FROM t';
      const fits = `SELECT ${filler(READ_LIMIT - 7 - tail.length)}${tail}`;
      assert.equal(fits.length, READ_LIMIT);
      assert.equal(describeSql(fits, 'postgresql').text, fits);
      assert.equal(describeSql(fits, 'postgresql').summary, 'SELECT t');
      const cut = describeSql(`${fits} `, 'postgresql');
      assert.ok(cut.text && cut.text.length <= CUT_LENGTH && fits.startsWith(cut.text));
      assert.equal(cut.summary, 'SELECT');
    });

    it('cuts between two tokens', () => {
      const statement = "SELECT a FROM t WHERE c = 'secret'";
      const start = ' '.repeat(CUT_LENGTH - statement.length);
      const rest = `, ${filler(READ_LIMIT)}`;
      assert.equal(
        describeSql(start + statement + rest, 'mysql').text?.trim(),
        statement.slice(0, -9),
      );
      const whole = describeSql(start.slice(1) + statement + rest, 'mysql');
      assert.equal(whole.text?.trim(), 'SELECT a FROM t WHERE c = ?');
      assert.equal(whole.summary, 'SELECT t');
    });

    it('shows nothing of a token that the limit cuts', () => {
      const openings = [
        "'secret",
        "E'secret",
        '$$secret',
        '"secret',
        '/* secret',
        '-- secret',
        'sec',
        '12',
      ];
      for (const opening of openings)
        for (let shift = 0; shift < opening.length + 2; shift++) {
          const start = `SELECT ${filler(CUT_LENGTH - 8 - shift)} `;
          const { text } = describeSql(
            `${start}${opening}ret' ${'x'.repeat(READ_LIMIT)}`,
            'postgresql',
          );
          assert.ok(text === undefined || start.startsWith(text), `${opening} at ${shift}`);
        }
    });

    it('gives no text when it is cut and its quotes may pair otherwise', () => {
      const rest = ` ${'x,'.repeat(READ_LIMIT)}`;
      assert.equal(describeSql(`SELECT 'a\\', 'secret'${rest}`, 'mysql').text, undefined);
      assert.equal(describeSql(`SELECT 'a\\', 'secret'${rest}`, 'mysql').summary, 'SELECT');
      assert.ok(describeSql(`SELECT 'a\\\\', 'secret'${rest}`, 'mysql').text === undefined);
      assert.ok(describeSql(`SELECT 'a', 'b'${rest}`, 'mysql').text !== undefined);
    });

    it('cuts parameterised text without halving a character', () => {
      const text = `SELECT '${'\u{1f600}'.repeat(READ_LIMIT)}'`;
      const shown = describeSql(text, 'sqlite', { parameterised: true }).text;
      assert.equal(shown, text.slice(0, shown?.length));
      assert.ok(shown && shown.length >= READ_LIMIT - 1 && encodeURIComponent(shown));
    });

    it('looks at no more than the beginning of 10 MB', () => {
      const huge = `INSERT INTO t VALUES ${"(1, 'secret'),".repeat(750_000)}`;
      const exec = spy(RegExp.prototype, 'exec');
      const { text, summary } = describeSql(huge, 'mysql');
      const read = exec.getCalls().map((call) => call.args[0].length);
      exec.restore();
      assert.ok(read.length > 0 && Math.max(...read) <= CUT_LENGTH);
      assert.equal(summary, 'INSERT t');
      assert.ok(text && text.length <= CUT_LENGTH && !text.includes('secret'));
    });
  });

  it('gives up when the time is up, and does not remember that it did', () => {
    const statement = `SELECT ${'a, '.repeat(5000)}b FROM t`;
    const cpuUsage = stub(process, 'cpuUsage');
    let user = 0;
    cpuUsage.callsFake(() => ({ user: (user += 30_000), system: 0 }));
    assert.equal(describeSql(statement, 'postgresql').text, undefined);
    cpuUsage.restore();
    assert.equal(describeSql(statement, 'postgresql').summary, 'SELECT t');
  });

  it('returns the same description for the same text, and forgets the oldest', () => {
    const first = describeSql('SELECT 1 FROM t', 'postgresql');
    assert.equal(describeSql('SELECT 1 FROM t', 'postgresql'), first);
    assert.notEqual(describeSql('SELECT 1 FROM t', 'mysql'), first);
    for (let i = 0; i < 20_000; i++) describeSql(`SELECT ${i} FROM t`, 'postgresql');
    assert.notEqual(describeSql('SELECT 1 FROM t', 'postgresql'), first);
  });

  it('takes whatever it is given', () => {
    for (const value of [undefined, null, 5, {}, Buffer.from('x')])
      assert.equal(describeSql(value as string, 'mysql').text, undefined);
  });
});

describe('batchSummary', () => {
  it('prepends BATCH to a summary that all share', () => {
    assert.equal(batchSummary(['INSERT t', 'INSERT t']), 'BATCH INSERT t');
  });

  it('is BATCH for others', () => {
    assert.equal(batchSummary(['INSERT t', 'INSERT u']), 'BATCH');
    assert.equal(batchSummary([]), 'BATCH');
    assert.equal(batchSummary([undefined, undefined]), 'BATCH');
  });
});
