import assert from 'node:assert/strict';
import fc from 'fast-check';
import { scrubMessage } from '../../../src/instrumentation/sql/scrub-message.ts';
import { describeSql, type SqlDialect } from '../../../src/instrumentation/sql/sql-text.ts';
import { generate, SECRETS } from './generator.ts';
import type { Piece } from './piece.ts';
import { PROFILES } from './generator-profiles.ts';
import { RUNS, SEED, summaryOf } from './properties.ts';

/** Runs `holds` for generated statements; what fails is shrunk, and printed with its seed and path. */
function forStatements(
  dialect: SqlDialect,
  numRuns: number,
  holds: (piece: Piece, byte: number) => void,
): void {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 160, size: 'max' }), (bytes) => {
      holds(generate(dialect, bytes), bytes.at(-1) ?? 0);
    }),
    { seed: SEED, numRuns },
  );
}

function assertNoSecret(shown: string | undefined, statement: string): void {
  for (const secret of SECRETS)
    assert.ok(!shown?.includes(secret), `${statement}\n  shows a secret: ${shown}`);
}

describe(`what is shown of generated statements (SQL_SEED=${SEED})`, function () {
  this.timeout(120_000);

  for (const dialect of Object.keys(PROFILES) as SqlDialect[]) {
    it(`is the text without its literals and the summary, in ${RUNS} of ${dialect}`, () => {
      let doubtful = 0;
      forStatements(dialect, RUNS, ({ sql, shown, parts }) => {
        const { text, summary, storedProcedure } = describeSql(sql, dialect);
        // Where a backslash before a quote may be read otherwise and make sense, nothing is shown.
        if (text === undefined && /\\['"]/.test(sql)) {
          doubtful++;
          return;
        }
        assert.deepEqual({ text, summary }, { text: shown, summary: summaryOf(parts) }, sql);
        assertNoSecret(`${text} ${summary} ${storedProcedure}`, sql);
      });
      assert.ok(doubtful < RUNS / 20, `${doubtful} of ${RUNS} statements yielded no text`);
    });

    it(`has no literal when a statement of ${dialect} ends anywhere`, () => {
      forStatements(dialect, RUNS / 10, ({ sql }, byte) => {
        const prefix = sql.slice(0, Math.floor((sql.length * byte) / 255));
        const { text, summary, storedProcedure } = describeSql(prefix, dialect);
        assertNoSecret(`${text} ${summary} ${storedProcedure}`, prefix);
      });
    });

    it(`has no literal in the message of an error in ${dialect}`, () => {
      forStatements(dialect, RUNS / 10, ({ sql }, byte) => {
        const near = sql.slice(Math.floor((sql.length * byte) / 255)).slice(0, 80);
        for (const message of [
          `syntax error at or near "${near}"`,
          `You have an error in your SQL syntax; check the manual near '${near}' at line 1`,
          `Duplicate entry '${near}' for key 'users.email'`,
          `invalid input syntax for type integer: "${near}"`,
        ])
          assertNoSecret(scrubMessage(message), message);
      });
    });
  }
});
