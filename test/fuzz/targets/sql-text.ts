import assert from 'node:assert/strict';

import fc from 'fast-check';

import { scrubMessage } from '../../../src/instrumentation/sql/scrub-message.ts';
import { describeSql, type SqlDialect } from '../../../src/instrumentation/sql/sql-text.ts';
import { generate, SECRETS } from '../../instrumentation/sql/generator.ts';
import { PROFILES } from '../../instrumentation/sql/generator-profiles.ts';
import { damagedText } from '../damage.ts';
import type { Target } from '../target.ts';

const DIALECTS = Object.keys(PROFILES) as SqlDialect[];
const MAX_TEXT = 32 * 1024;
const MAX_SUMMARY = 255;
const MAX_MESSAGE = 1024;
const TOKENS = [
  "'",
  "''",
  "\\'",
  '$$',
  '$t$',
  '/*',
  '*/',
  '/*!',
  '--',
  '#',
  '`',
  ']',
  'E',
  "q'[",
  ';',
];

interface Input {
  dialect: SqlDialect;
  /** A statement with secrets in its literals, sound and damaged. */
  sound: string;
  damaged: string;
}

const input: fc.Arbitrary<Input> = fc
  .tuple(fc.constantFrom(...DIALECTS), fc.uint8Array({ maxLength: 160, size: 'max' }))
  .chain(([dialect, bytes]) => {
    const { sql } = generate(dialect, bytes);
    return fc.record({
      dialect: fc.constant(dialect),
      sound: fc.constant(sql),
      damaged: damagedText([sql], TOKENS),
    });
  });

function assertDescribed(sql: string, dialect: SqlDialect): string {
  for (const parameterised of [true, false]) {
    const { text = '', summary = '' } = describeSql(sql, dialect, { parameterised });
    assert.ok(text.length <= MAX_TEXT + 1, `${text.length} characters of text`);
    assert.ok(summary.length <= MAX_SUMMARY, summary);
    assert.equal(summary, summary.trim());
  }
  const { text, summary, storedProcedure } = describeSql(sql, dialect);
  return `${text} ${summary} ${storedProcedure}`;
}

/** What is shown of SQL text, and of the messages of errors that repeat it. */
export const sqlText: Target<Input> = {
  input,
  check({ dialect, sound, damaged }) {
    const shown = assertDescribed(sound, dialect);
    for (const secret of SECRETS) assert.ok(!shown.includes(secret), shown);
    assertDescribed(damaged, dialect);
    for (const message of [damaged, `syntax error at or near "${damaged.slice(0, 80)}"`]) {
      const scrubbed = scrubMessage(message, { text: sound, dialect, values: [damaged, 7351] });
      assert.ok(scrubbed.length <= MAX_MESSAGE + 3, `${scrubbed.length} characters of a message`);
    }
  },
};
