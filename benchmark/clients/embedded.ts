import { createRequire } from 'node:module';

import type * as pglite from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';

import { nativeModule } from '../../test/support/native-modules.ts';
import { requireClient, type ClientCase } from './variants.ts';

/* Databases in this process: what they compute is part of what is measured, and not only the client. */

interface SynchronousDatabase {
  prepare(text: string): { get(...values: unknown[]): unknown };
  close(): void;
}
interface AsynchronousDatabase {
  get(text: string, values: unknown[], callback: (error: unknown) => void): void;
  close(callback: (error: unknown) => void): void;
}
type ClassOf<Database> = new (file: string) => Database;

const TEXT = 'select ? as n';

/** A statement that is prepared once, as programs do that have a synchronous client. */
function synchronous(client: string, load: () => ClassOf<SynchronousDatabase>): ClientCase {
  return {
    name: `${client} statement.get`,
    client,
    open: () => {
      const db = new (load())(':memory:');
      const statement = db.prepare(TEXT);
      return { call: () => statement.get(1), close: () => db.close() };
    },
  };
}

/** With the newest version for this Node: version 13 ends a Node older than 22. */
function betterSqlite3(): ClientCase[] {
  const isOld = Number.parseInt(process.versions.node, 10) < 22;
  const require = isOld
    ? nativeModule({ name: 'better-sqlite3', version: '12.0.0', isOptimised: true })
    : createRequire(import.meta.url);
  if (typeof require === 'string') return [];
  return [
    synchronous('better-sqlite3', () => require('better-sqlite3') as ClassOf<SynchronousDatabase>),
  ];
}

function nodeSqlite(): ClientCase[] {
  if (!process.getBuiltinModule?.('node:sqlite')) return [];
  const load = (): ClassOf<SynchronousDatabase> =>
    requireClient<{ DatabaseSync: ClassOf<SynchronousDatabase> }>('node:sqlite').DatabaseSync;
  return [synchronous('node:sqlite', load)];
}

function sqlite3(): ClientCase[] {
  const require = nativeModule({
    name: 'sqlite3',
    version: '6.0.1',
    isNapi: true,
    isOptimised: true,
  });
  if (typeof require === 'string') return [];
  return [
    {
      name: 'sqlite3 get, callback',
      client: 'sqlite3',
      open: () => {
        const { Database } = require('sqlite3') as { Database: ClassOf<AsynchronousDatabase> };
        const db = new Database(':memory:');
        return {
          call: () => new Promise((resolve) => db.get(TEXT, [1], resolve)),
          close: () => new Promise((resolve) => db.close(resolve)),
        };
      },
    },
  ];
}

const PGLITE: ClientCase = {
  name: 'pglite query, promise',
  client: 'pglite',
  count: 100,
  open: async () => {
    const { PGlite } = requireClient<typeof pglite>('@electric-sql/pglite');
    const db = await PGlite.create({ loadDataDir: await dataDir() });
    return { call: () => db.query('select $1::int as n', [1]), close: () => db.close() };
  },
};

export const embeddedCases = (): ClientCase[] => [
  ...betterSqlite3(),
  ...nodeSqlite(),
  ...sqlite3(),
  PGLITE,
];
