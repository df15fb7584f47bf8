import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { ClewError, messageOf } from '../../base/errors.ts';
import { ownFile, packageFolder } from '../../base/own-files.ts';
import { loadPeer, locatePeer } from '../../base/peers.ts';
import type { CleanUp } from './clean-up.ts';
import type { Database } from './database.ts';
import { tracedEnvironment } from './shop.ts';

/*
 * The second part of the demo: `examples/orders`, whose requests go on in another process. Redis has
 * no embedded form, so it is there where `REDIS_URL` names one.
 */

const MAIN = fileURLToPath(new URL('main.js', packageFolder('examples/orders/')));
const REGISTER = ownFile('register.js').href;
const NEEDED = ['bullmq', 'ioredis', 'pino'] as const;
/** How long a process may take to end by itself, in milliseconds. */
const MAX_WAIT = 2000;

/** What is used of ioredis and of bullmq, which the package's build does not need. */
interface RedisClient {
  on(event: 'error', listener: (error: { code?: string }) => void): void;
  connect(): Promise<void>;
  ping(): Promise<string>;
  disconnect(): void;
}
interface Ioredis {
  Redis: new (url: string, options: object) => RedisClient;
}
interface Bullmq {
  Queue: new (
    name: string,
    options: { connection: RedisClient },
  ) => { obliterate(options: { force: boolean }): Promise<void>; close(): Promise<void> };
}

/** A line that one of the processes logged. */
export interface LogLine {
  name?: unknown;
  msg?: unknown;
  trace_id?: unknown;
}

/** The running server and worker. */
export interface Orders {
  url: string;
  /** What both have logged so far. */
  lines: LogLine[];
}

/** Why there is no queue in the demo; undefined where there can be one. */
export function withoutQueue(redisUrl: string): string | undefined {
  if (redisUrl === '') return 'none: set REDIS_URL to run a job in another process';
  const missing = NEEDED.filter((name) => !locatePeer(name));
  return missing.length > 0 ? `none: run npm i ${missing.join(' ')}` : undefined;
}

/** Starts the server and the worker under the preload, with a queue that is removed at the end. */
export async function startOrders(options: {
  database: Database;
  redisUrl: string;
  otlpUrl: string;
  cleanUp: CleanUp;
}): Promise<Orders> {
  const { database, redisUrl, otlpUrl, cleanUp } = options;
  await checkRedis(redisUrl);
  const queue = `clew-demo-${process.pid}`;
  cleanUp.add(() => removeQueue(queue, redisUrl));
  const env = { ...tracedEnvironment(database, otlpUrl), REDIS_URL: redisUrl, QUEUE: queue };
  const lines: LogLine[] = [];
  const [server] = await Promise.all(
    ['server', 'worker'].map(async (role) => {
      const child = fork(MAIN, [role], {
        execArgv: ['--import', REGISTER],
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
        env: { ...env, PORT: '0', OTEL_SERVICE_NAME: `orders-${role}` },
      });
      cleanUp.child(child);
      cleanUp.add(() => letEnd(child));
      if (child.stdout) {
        createInterface({ input: child.stdout }).on('line', (line) => note(lines, line));
      }
      const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [
        { url?: string } | number | null,
      ];
      if (typeof message !== 'object' || message === null) {
        throw new Error(`the ${role} of the orders ended while starting`);
      }
      return message;
    }),
  );
  return { url: String(server?.url), lines };
}

function note(lines: LogLine[], line: string): void {
  try {
    lines.push(JSON.parse(line) as LogLine);
  } catch {
    // Not a line of the logger.
  }
}

/** The processes end when their parent lets go of them, and give back what they hold. */
async function letEnd(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || !child.connected) return;
  const exited = once(child, 'exit');
  child.disconnect();
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([exited, new Promise((resolve) => (timer = setTimeout(resolve, MAX_WAIT)))]);
  clearTimeout(timer);
}

async function checkRedis(url: string): Promise<void> {
  const { Redis } = loadPeer<Ioredis>('ioredis');
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  let reason: string | undefined;
  client.on('error', (error: { code?: string }) => (reason ??= error.code ?? messageOf(error)));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    const given = reason ?? messageOf(error);
    throw new ClewError('ERR_OPTION', `the Redis at REDIS_URL cannot be used: ${given}.`, {
      cause: error,
    });
  } finally {
    client.disconnect();
  }
}

async function removeQueue(name: string, redisUrl: string): Promise<void> {
  const { Queue } = loadPeer<Bullmq>('bullmq');
  const { Redis } = loadPeer<Ioredis>('ioredis');
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: 1, retryStrategy: () => null });
  connection.on('error', () => undefined);
  try {
    const queue = new Queue(name, { connection });
    await queue.obliterate({ force: true });
    await queue.close();
  } finally {
    connection.disconnect();
  }
}
