import type { SqlDialect } from '../../../src/instrumentation/sql/sql-text.ts';

/** Texts that must yield no text, by dialect. */
export const UNREADABLE: Record<SqlDialect, string[]> = {
  postgresql: [
    "SELECT 'a\\'b', $$ x'secret $$",
    "SELECT 'secret",
    'SELECT "secret',
    "SELECT E'a\\' secret",
    'SELECT $$secret',
    'SELECT $a$ secret $b$',
    'SELECT 1 /* /* secret */',
    'SELECT \\secret',
    "SELECT 'it\\'s secret', 'it\\'s'",
    'SELECT $ secret',
    'secret value',
  ],
  mysql: [
    "SELECT 'a\\'b' # 'secret",
    "SELECT 'secret",
    'SELECT "secret',
    'SELECT `secret',
    'SELECT 1 /* secret',
    "SELECT 'a\\', 'secret', 'b'",
    "SELECT 'a\\', 'secret', 'b\\'",
    'SELECT \\secret',
    "SELECT _utf8'secret",
  ],
  mariadb: ["SELECT 'secret"],
  sqlite: [
    "SELECT 'secret",
    'SELECT "secret',
    'SELECT [secret',
    "SELECT x'secret",
    'SELECT \\secret',
  ],
  mssql: ["SELECT N'secret", 'SELECT [secret', 'SELECT "secret', 'SELECT 1 /* /* secret */'],
  other_sql: [
    "SELECT 'a\\', 'secret'",
    'SELECT 1 # secret',
    'SELECT 1 // secret',
    "SELECT q'[it's secret]'",
    "SELECT r'\\', 'secret'",
    'SELECT /* a /* secret */ secret */ 1',
    "SELECT '''a'secret'''",
  ],
};
