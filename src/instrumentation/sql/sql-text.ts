/** The SQL whose literals, comments and quotes are to be understood. */
export type SqlDialect = 'postgresql' | 'mysql' | 'sqlite' | 'mssql';

/** What may be shown of a statement: its text without literals, and its summary. */
export function describeSql(
  _text: string,
  _dialect: SqlDialect,
): { text: string | undefined; summary: string | undefined } {
  return { text: undefined, summary: undefined };
}
