import assert from 'node:assert/strict';
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
    assert.equal(scrubMessage(message, { text, dialect: 'postgresql' }), '? of bob o?');
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

  it('takes whatever it is given', () => {
    for (const value of [undefined, null, 5, {}]) assert.equal(scrubMessage(value as string), '');
  });
});
