import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type * as Pg from 'pg';

import { ClewError, messageOf } from '../../base/errors.ts';
import { loadPeer, locatePeer } from '../../base/peers.ts';
import type { CleanUp } from './clean-up.ts';
import { shopFolder } from './shop-folder.ts';

/** A database that holds the shop's tables. */
export interface Database {
  url: string;
  /** Environment that makes the shop's connections find the tables. */
  env: Record<string, string>;
}

/** A schema of our own in somebody's database; `PGOPTIONS` puts it on the search path. */
const SCHEMA = 'clew_demo';

/** What the embedded server sends its parent. */
export interface EmbeddedMessage {
  port?: number;
  error?: string;
}

/** Throws `ERR_PEER_MISSING` where a package that the demo needs is not installed. */
export function checkPeers(databaseUrl: string | undefined): void {
  const embedded = databaseUrl ? [] : ['@electric-sql/pglite', '@electric-sql/pglite-socket'];
  const needed = ['express', 'pg', ...embedded];
  const missing = needed.filter((name) => !locatePeer(name));
  if (missing.length === 0) return;
  const names = missing.map((name) => `\`${name}\``).join(', ');
  const how = `Run npm i clew ${needed.join(' ')}, then npx clew demo.`;
  const verb = missing.length === 1 ? 'is' : 'are';
  throw new ClewError(
    'ERR_PEER_MISSING',
    `The demo needs ${names}, which ${verb} not installed. ${how}`,
  );
}

/**
 * The PostgreSQL at `DATABASE_URL`, else one embedded in a child process: WebAssembly computes for
 * seconds when it starts, and here that does not hold up anything else.
 */
export async function startDatabase(
  databaseUrl: string | undefined,
  cleanUp: CleanUp,
): Promise<Database> {
  const schema = readFileSync(new URL('schema.sql', shopFolder), 'utf8');
  if (databaseUrl) return useDatabase(databaseUrl, schema, cleanUp);
  const child = fork(fileURLToPath(new URL('./embedded-postgresql.js', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // The optimising compiler takes longer over the WebAssembly than the demo runs.
    execArgv: ['--liftoff-only'],
  });
  cleanUp.child(child);
  child.send({ schema });
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => [{ error: 'it ended while starting' }]),
  ])) as [EmbeddedMessage];
  if (message.port === undefined) {
    throw new Error(`the embedded PostgreSQL did not start: ${message.error}`);
  }
  return { url: `postgresql://postgres@127.0.0.1:${message.port}/postgres`, env: {} };
}

async function useDatabase(url: string, schema: string, cleanUp: CleanUp): Promise<Database> {
  const { Client } = loadPeer<typeof Pg>('pg');
  const query = async (sql: string): Promise<void> => {
    try {
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        await client.query(sql);
      } finally {
        await client.end();
      }
    } catch (error) {
      const reason = (error as { code?: string }).code ?? messageOf(error);
      throw new ClewError(
        'ERR_OPTION',
        `the PostgreSQL at DATABASE_URL cannot be used: ${reason}.`,
        { cause: error },
      );
    }
  };
  const drop = `DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE;`;
  await query(`${drop} CREATE SCHEMA ${SCHEMA}; SET search_path TO ${SCHEMA}; ${schema}`);
  cleanUp.add(() => query(drop));
  return { url, env: { PGOPTIONS: `-c search_path=${SCHEMA}` } };
}
