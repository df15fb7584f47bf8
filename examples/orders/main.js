// One process of the shop: `node --import clew/register main.js server`, or `worker`.
import { once } from 'node:events';

import { pino } from 'pino';

import { settings } from './settings.js';

const role = process.argv[2];
const log = pino({ name: role });
const running = await start();
if (process.send) {
  process.send({ url: running.url });
  await once(process, 'disconnect');
} else {
  log.info({ url: running.url }, 'ready');
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}
await running.close();

async function start() {
  if (role === 'server') {
    const { startServer } = await import('./server.js');
    return startServer({ ...settings, log });
  }
  const { startWorker } = await import('./worker.js');
  return startWorker({ ...settings, log });
}
