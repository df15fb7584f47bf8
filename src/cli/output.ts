/** What `--json` prints says which schema it follows. */
export const SCHEMA = 'clew/clew.output.schema.json';

/** No answer of `--json` is longer, in bytes; the doctor's is, and files are. */
export const MAX_JSON = 8000;

/** Prints an answer as one line of JSON. */
export function printJson(kind: string, answer: object): void {
  console.log(JSON.stringify({ $schema: SCHEMA, kind, ...answer }));
}

/** How wide a text for a person may be: 80 columns where it goes to no terminal. */
export function columnsOf({ isTTY, columns }: NodeJS.WriteStream): number {
  return isTTY ? Math.max(40, Math.min(columns, 120)) : 80;
}
