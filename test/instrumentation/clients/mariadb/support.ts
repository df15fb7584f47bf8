import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Note } from '../../matrix/form.ts';

export const ROWS = 'select 1 as n union select 2 union select 3';

/** The types leave out what a pool inherits. */
export function once(pool: object, event: string, listener: () => void): void {
  (pool as NodeJS.EventEmitter).once(event, listener);
}

/** A callback that notes where it runs, and hands on. */
export function noted(note: Note, done: () => void): () => void {
  return () => {
    note('callback');
    done();
  };
}

/** Options that every version reads, of a URL that not every version does. */
export function optionsOf(url: string): {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  multipleStatements: boolean;
} {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    multipleStatements: true,
  };
}

/** Calls `use` with a file of statements. */
export async function withFile<Result>(use: (file: string) => Promise<Result>): Promise<Result> {
  const file = join(tmpdir(), `clew-import-${process.pid}-${Math.random()}.sql`);
  await writeFile(file, 'select 1;\nselect 2;\n');
  try {
    return await use(file);
  } finally {
    await rm(file);
  }
}
