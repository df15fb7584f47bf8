import { once } from 'node:events';

import { messageOf } from '../../base/errors.ts';
import type { EmbeddedMessage } from './database.ts';

/*
 * The child process of `startDatabase`: PGlite behind a socket, so that clients speak PostgreSQL's
 * wire protocol over TCP. It ends when its parent does.
 */

process.once('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; the parent decides in which order things stop.
process.on('SIGINT', () => undefined);

const tell = (message: EmbeddedMessage): void => void process.send?.(message);

try {
  const [message] = (await once(process, 'message')) as [{ schema: string }];
  const { PGlite } = await import('@electric-sql/pglite');
  const { PGLiteSocketServer } = await import('@electric-sql/pglite-socket');
  const loadDataDir = await preparedCluster();
  const db = await PGlite.create(loadDataDir ? { loadDataDir } : {});
  await db.exec(message.schema);
  const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1', maxConnections: 20 });
  await server.start();
  tell({ port: Number(server.getServerConn().split(':').at(-1)) });
} catch (error) {
  tell({ error: messageOf(error) });
}

/** A cluster on which `initdb` has been run already: that takes most of the time of a start. */
async function preparedCluster(): Promise<Blob | undefined> {
  try {
    const { dataDir } = await import('@electric-sql/pglite-prepopulatedfs');
    return await dataDir();
  } catch {
    return undefined;
  }
}
