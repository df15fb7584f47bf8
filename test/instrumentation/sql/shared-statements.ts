/** A statement, what may be shown of it, and its summary. `same` is a text that is kept whole. */
export type Expectation = [statement: string, text: string, summary: string | undefined];
export const same = '\u0000same';

/** Statements whose tokens are alike in all dialects. */
export const SHARED: Expectation[] = [
  [
    "SELECT * FROM wuser_table WHERE username = 'x'",
    'SELECT * FROM wuser_table WHERE username = ?',
    'SELECT wuser_table',
  ],
  [
    'INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = 1',
    'INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = ?',
    'INSERT shipping_details SELECT orders',
  ],
  ['SELECT * FROM songs, artists WHERE songs.artist_id = artists.id', same, 'SELECT songs artists'],
  [
    'SELECT order_date FROM (SELECT * FROM orders o JOIN customers c ON o.customer_id = c.customer_id) x',
    same,
    'SELECT SELECT orders customers',
  ],
  ['sELEcT * FrOm Users', same, 'sELEcT Users'],
  [
    'select * from a left join b on a.x = b.x, c cross join d where a.y between 1 and 2',
    'select * from a left join b on a.x = b.x, c cross join d where a.y between ? and ?',
    'select a b c d',
  ],
  [
    'SELECT x FROM a UNION ALL SELECT x FROM b EXCEPT SELECT x FROM c ORDER BY x, y',
    same,
    'SELECT a SELECT b SELECT c',
  ],
  [
    '(SELECT id FROM users) UNION (SELECT id FROM customers)',
    same,
    'SELECT users SELECT customers',
  ],
  [
    'SELECT (SELECT max(x) FROM a), y FROM b WHERE EXISTS (SELECT 1 FROM c)',
    'SELECT (SELECT max(x) FROM a), y FROM b WHERE EXISTS (SELECT ? FROM c)',
    'SELECT SELECT a b SELECT c',
  ],
  [
    'SELECT * FROM db.schema_1.t1 AS x, (t2), (t3 JOIN t4 ON t3.a = t4.a)',
    same,
    'SELECT db.schema_1.t1 t2 t3 t4',
  ],
  ['SELECT * FROM a . b', same, 'SELECT a.b'],
  [
    'WITH one AS (SELECT * FROM a), two (x, y) AS (SELECT * FROM one JOIN b ON one.i = b.i) SELECT * FROM two',
    same,
    'SELECT a SELECT b SELECT',
  ],
  [
    'WITH users AS (SELECT * FROM active) INSERT INTO archive SELECT * FROM USERS',
    same,
    'SELECT active INSERT archive SELECT',
  ],
  [
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n',
    'WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + ? FROM n WHERE i < ?) SELECT i FROM n',
    'SELECT SELECT SELECT',
  ],
  [
    'INSERT INTO t SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3',
    'INSERT INTO t SELECT ? UNION ALL SELECT ? UNION ALL SELECT ?',
    'INSERT t SELECT',
  ],
  [
    'SELECT x FROM (SELECT 1 AS x UNION SELECT 2) AS y JOIN b UNION SELECT 3 UNION SELECT x FROM c',
    'SELECT x FROM (SELECT ? AS x UNION SELECT ?) AS y JOIN b UNION SELECT ? UNION SELECT x FROM c',
    'SELECT SELECT b SELECT SELECT c',
  ],
  ['SELECT 1; SELECT 2 UNION SELECT 2', 'SELECT ?; SELECT ? UNION SELECT ?', 'SELECT SELECT'],
  [
    'SELECT (SELECT max(x) FROM a) UNION SELECT (SELECT max(x) FROM b)',
    same,
    'SELECT SELECT a SELECT SELECT b',
  ],
  [
    "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')",
    'INSERT INTO t (a, b) VALUES (?, ?), (?, ?)',
    'INSERT t',
  ],
  [
    "UPDATE t SET a = 'x', b = b + 1 WHERE c IN (SELECT c FROM u)",
    'UPDATE t SET a = ?, b = b + ? WHERE c IN (SELECT c FROM u)',
    'UPDATE t SELECT u',
  ],
  ['DELETE FROM t WHERE id = 1', 'DELETE FROM t WHERE id = ?', 'DELETE t'],
  [
    'MERGE INTO t USING s ON t.i = s.i WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (2)',
    'MERGE INTO t USING s ON t.i = s.i WHEN MATCHED THEN UPDATE SET a = ? WHEN NOT MATCHED THEN INSERT (a) VALUES (?)',
    'MERGE t s',
  ],
  [
    'MERGE INTO t USING (SELECT * FROM s) q ON t.i = q.i WHEN MATCHED THEN DELETE',
    same,
    'MERGE t SELECT s',
  ],
  [
    'CREATE TABLE IF NOT EXISTS t (a int DEFAULT 5, b varchar(20), CHECK (a > 3))',
    'CREATE TABLE IF NOT EXISTS t (a int DEFAULT ?, b varchar(?), CHECK (a > ?))',
    'CREATE TABLE t',
  ],
  ['CREATE TABLE t AS SELECT * FROM s', same, 'CREATE TABLE t SELECT s'],
  ['CREATE OR REPLACE VIEW v AS SELECT * FROM s', same, 'CREATE VIEW v SELECT s'],
  ['CREATE UNIQUE INDEX i ON t (a, b)', same, 'CREATE INDEX i t'],
  ['ALTER TABLE t ADD COLUMN c int', same, 'ALTER TABLE t'],
  ['DROP TABLE IF EXISTS a, b', same, 'DROP TABLE a b'],
  ['TRUNCATE TABLE t', same, 'TRUNCATE TABLE t'],
  ["CREATE USER somebody PASSWORD 'x'", 'CREATE USER somebody PASSWORD ?', 'CREATE USER'],
  ["CALL shop.refill(1, 'x')", 'CALL shop.refill(?, ?)', 'CALL shop.refill'],
  ['GRANT SELECT, INSERT ON t TO somebody', same, 'GRANT'],
  ['EXPLAIN SELECT * FROM t', same, 'EXPLAIN SELECT t'],
  ['VALUES (1)', 'VALUES (?)', 'VALUES'],
  ['BEGIN', same, 'BEGIN'],
  ['start transaction', same, 'start transaction'],
  ['COMMIT', same, 'COMMIT'],
  ['ROLLBACK TO SAVEPOINT trx7', same, 'ROLLBACK TO SAVEPOINT'],
  ['SAVEPOINT trx7', same, 'SAVEPOINT'],
  ['RELEASE SAVEPOINT trx7', same, 'RELEASE SAVEPOINT'],
  [
    'BEGIN; INSERT INTO t VALUES (1);; SELECT 2 FROM s; COMMIT;',
    'BEGIN; INSERT INTO t VALUES (?);; SELECT ? FROM s; COMMIT;',
    'BEGIN INSERT t SELECT s COMMIT',
  ],
  [
    'SELECT 12, -12, +12.5, .5, 1e5, 1.5E-7, 3-2, 3 - -2, a -1, (-1), x*-1',
    'SELECT ?, ?, ?, ?, ?, ?, ?-?, ? - ?, a -?, (?), x*?',
    'SELECT',
  ],
  [
    'SELECT c3po, r2d2 FROM covid19 WHERE n1h1=1234',
    'SELECT c3po, r2d2 FROM covid19 WHERE n1h1=?',
    'SELECT covid19',
  ],
  [
    "SELECT * FROM t WHERE a IN (1, -2, 'x') AND b NOT IN ('y') AND c IN (1, d)",
    'SELECT * FROM t WHERE a IN (?) AND b NOT IN (?) AND c IN (?, d)',
    'SELECT t',
  ],
  [
    "SELECT 'it''s', '', 'two\nlines', 'a;b', '--', '/*', '\"'",
    'SELECT ?, ?, ?, ?, ?, ?, ?',
    'SELECT',
  ],
  [
    'SELECT true, FALSE, x IS TRUE, x IS NOT FALSE, t.true, NULL',
    'SELECT ?, ?, x IS TRUE, x IS NOT FALSE, t.true, NULL',
    'SELECT',
  ],
  [
    "SELECT date '2020-01-01', interval '1 day', timestamp '2020-01-01 10:00:00'",
    'SELECT date ?, interval ?, timestamp ?',
    'SELECT',
  ],
  ['SELECT 1 -- secret 2\nFROM t -- and more', 'SELECT ? \nFROM t ', 'SELECT t'],
  ['SELECT/* secret */1/* secret\nmore */FROM t', 'SELECT ? FROM t', 'SELECT t'],
  [
    "SELECT trim(BOTH 'x' FROM a), extract(year FROM b) FROM t",
    'SELECT trim(BOTH ? FROM a), extract(year FROM b) FROM t',
    'SELECT t',
  ],
  ['SELECT * FROM t WHERE a IS DISTINCT FROM b AND c IS NOT DISTINCT FROM d', same, 'SELECT t'],
  ['SELECT DISTINCT a FROM t FOR UPDATE', same, 'SELECT t'],
  ['', '', undefined],
  [' ; ', same, undefined],
  ['-- nothing', '', undefined],
  ['7', '?', undefined],
];
