import assert from 'node:assert/strict';

import fc from 'fast-check';

import { scrubMessage } from '../../../src/instrumentation/sql/scrub-message.ts';

/** Messages as servers write them, and what may be shown of them. */
const MESSAGES: [string, string][] = [
  [
    'invalid input syntax for type integer: "secret-value"',
    'invalid input syntax for type integer: ?',
  ],
  ['syntax error at or near "secret"', 'syntax error at or near ?'],
  ['unterminated quoted string at or near "\'secret"', 'unterminated quoted string at or near ?'],
  [
    'value "99999999999" is out of range for type integer',
    'value ? is out of range for type integer',
  ],
  ['relation "shop.users" does not exist', 'relation "shop.users" does not exist'],
  [
    'duplicate key value violates unique constraint "users_email_key"',
    'duplicate key value violates unique constraint "users_email_key"',
  ],
  [
    'null value in column "a" of relation "t" violates not-null constraint',
    'null value in column "a" of relation "t" violates not-null constraint',
  ],
  [
    'new row for relation "t" violates check constraint "c"',
    'new row for relation "t" violates check constraint "c"',
  ],
  [
    'invalid input value for enum mood: "it"s", said "secret"',
    'invalid input value for enum mood: ?',
  ],
  ['Key (email)=(secret@example.com) already exists.', 'Key (email)=(?) already exists.'],
  [
    'Key (a, b)=(secret, (x) y) is not present in table "t".',
    'Key (a, b)=(?) is not present in table "t".',
  ],
  ['Failing row contains (1, secret).', 'Failing row contains (?).'],
  [
    'invalid byte sequence for encoding "UTF8": 0xe2 0x28 0xa1',
    'invalid byte sequence for encoding "UTF8": ?',
  ],
  ['password authentication failed for user "secret"', 'password authentication failed for user ?'],
  [
    'syntaxe en entrée invalide pour le type integer : « secret »',
    'syntaxe en entrée invalide pour le type integer : ?',
  ],
  [
    "Duplicate entry 'secret@example.com' for key 'users.email'",
    "Duplicate entry ? for key 'users.email'",
  ],
  ["Duplicate entry 'it's 'secret'' for key 'email'", "Duplicate entry ? for key 'email'"],
  [
    "Incorrect integer value: 'secret' for column 'a' at row 1",
    "Incorrect integer value: ? for column 'a' at row 1",
  ],
  [
    "Incorrect integer value: 'x table 'secret' for column `db`.`t`.`a` at row 1",
    'Incorrect integer value: ? for column `db`.`t`.`a` at row 1',
  ],
  ["Table 'db.users' doesn't exist", "Table 'db.users' doesn't exist"],
  ["Unknown column 'a' in 'where clause'", "Unknown column 'a' in 'where clause'"],
  [
    "You have an error in your SQL syntax; check the manual near 'secret' at line 1",
    'You have an error in your SQL syntax; check the manual near ? at line 1',
  ],
  [
    "Access denied for user 'secret'@'localhost' (using password: YES)",
    'Access denied for user ? (using password: YES)',
  ],
  [
    "Conversion failed when converting the varchar value 'secret' to data type int.",
    'Conversion failed when converting the varchar value ? to data type int.',
  ],
  [
    "Violation of UNIQUE KEY constraint 'UQ_t'. The duplicate key value is (secret).",
    "Violation of UNIQUE KEY constraint 'UQ_t'. The duplicate key value is (?).",
  ],
  ['near "secret": syntax error', 'near ?: syntax error'],
  ['UNIQUE constraint failed: users.email', 'UNIQUE constraint failed: users.email'],
  ['connect ECONNREFUSED 127.0.0.1:54321', 'connect ECONNREFUSED 127.0.0.1:54321'],
  ['no connection to postgres://user:secret@host/db', 'no connection to postgres://?@host/db'],
  ['card 4111111111111111 was refused', 'card ? was refused'],
  ['a "quote without an end, secret', 'a ?'],
  ['', ''],
];

describe('scrubMessage', () => {
  it('removes the values servers quote and keeps the names they quote', () => {
    for (const [message, expected] of MESSAGES) assert.equal(scrubMessage(message), expected);
  });

  it('removes what the statement held as a literal', () => {
    const text = "SELECT charge('bob o''neill', 42, $$hunter2$$)";
    const message = "hunter2 of bob o'neill cannot pay 42 (142)";
    assert.equal(scrubMessage(message, { text, dialect: 'postgresql' }), '? of ?');
    const plain = 'hunter2 cannot pay 42 (142)';
    assert.equal(scrubMessage(plain, { text, dialect: 'postgresql' }), '? cannot pay ? (142)');
  });

  it('removes what the statement was given as a value', () => {
    const values = ['bob', 7, 12n, null, { a: 'x' }];
    assert.equal(scrubMessage('bob at row 7 of 12, bobby', { values }), '? at row ? of ?, bobby');
  });

  it('cuts a long message, also within a value', () => {
    const scrubbed = scrubMessage(`${'x'.repeat(1000)} "${'secret '.repeat(100_000)}" y`);
    assert.equal(scrubbed, `${'x'.repeat(1000)} ?`);
  });

  it('shows nothing of a long value with quotes in it, wherever the message is cut', () => {
    const parts = ['S3CRET ', "'", '"', ')', '(', 'x'.repeat(100), '//u:', '\u00e4', ' at line 1'];
    const value = fc
      .array(fc.constantFrom(...parts), { maxLength: 30 })
      .chain((some) => fc.nat(400).map((times) => `S3CRET ${some.join('')}`.repeat(times + 1)));
    const before = fc.nat(1200).map((length) => 'x'.repeat(length));
    fc.assert(
      fc.property(value, before, fc.boolean(), (secret, filler, isBounded) => {
        for (const message of [
          `${filler} invalid input syntax for type integer: "${secret}"`,
          `${filler} Incorrect integer value: '${secret}' for column 'a' at row 1`,
          `${filler} near '${secret}' at line 1`,
          `${filler} Failing row contains (${secret}).`,
          `${filler} the value ${secret} is refused`,
        ]) {
          const sent = isBounded ? Buffer.from(message).subarray(0, 511).toString() : message;
          const values = message.includes('the value') ? [secret] : [];
          // What a server cuts out of the middle of a value is no longer that value.
          if (isBounded && values.length > 0) continue;
          const scrubbed = scrubMessage(sent, { dialect: isBounded ? 'mysql' : 'sqlite', values });
          assert.ok(!scrubbed.includes('S3C'), `${sent.slice(0, 3000)}\n  shows: ${scrubbed}`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('finds a value that is repeated across the end of what is shown or read', () => {
    for (const length of [900, 1000, 1020, 1024, 1200, 32_700, 32_768]) {
      for (const size of [4, 60, 256, 257, 5000]) {
        const secret = 'S3CRET'.repeat(size).slice(0, size);
        const message =
          `${'x'.repeat(1000)} ${'1234567 '.repeat(length)}`.slice(0, length) + secret;
        const scrubbed = scrubMessage(`${message} ${message}`, { values: [secret] });
        assert.ok(!scrubbed.includes('S3C'), scrubbed);
      }
    }
  });

  it('looks for many values', () => {
    const values = Array.from({ length: 600 }, (_, index) => `secret${index}`);
    assert.equal(scrubMessage('secret599 of secret0', { values }), '? of ?');
  });

  it('takes whatever it is given', () => {
    for (const value of [undefined, null, 5, {}]) assert.equal(scrubMessage(value as string), '');
  });
});
