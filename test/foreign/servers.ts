import { findBinary } from '../support/find-binary.ts';
import {
  accepts,
  createInstance,
  launch,
  temporaryFolder,
  type Instance,
} from '../support/instances.ts';

/** A server that a suite needs. */
export type Server = 'postgresql' | 'mariadb' | 'redis at 6379';

const started = new Map<Server, Promise<Instance | string>>();

/** Starts a private server, once; or returns in a sentence why it cannot. */
export function serverFor(name: Server): Promise<Instance | string> {
  const starting = started.get(name) ?? start(name);
  started.set(name, starting);
  return starting;
}

/** Stops all that were started. */
export async function stopServers(): Promise<void> {
  for (const starting of started.values()) {
    const instance = await starting;
    if (typeof instance !== 'string') await instance.stop();
  }
  started.clear();
}

async function start(name: Server): Promise<Instance | string> {
  if (name !== 'redis at 6379') return createInstance(name);
  const port = 6379;
  const command = findBinary(['redis-server', 'valkey-server']);
  if (!command) return 'no redis-server on this machine';
  if (await accepts(port)) return 'another server has port 6379, whose data the suite would delete';
  const folder = temporaryFolder(undefined);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const instance = await launch({ command, args, port, folder });
  return { ...instance, url: `redis://127.0.0.1:${port}` };
}
