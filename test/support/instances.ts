import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

import { FERRETDB } from './ferretdb.ts';
import { findBinary } from './find-binary.ts';
import { goBinary } from './go-build.ts';
import type { ServiceName } from './services.ts';

/** A server that was started for this run, and how to stop it. */
export interface Instance {
  url: string;
  stop(): Promise<void>;
}

/** Starts a private `name` on a random loopback port, or says in a sentence why it cannot. */
export async function createInstance(name: ServiceName): Promise<Instance | string> {
  switch (name) {
    case 'redis-cluster': {
      const { redisCluster } = await import('./redis-servers.ts');
      return again(redisCluster);
    }
    case 'redis-sentinel': {
      const { redisSentinel } = await import('./redis-servers.ts');
      return again(redisSentinel);
    }
    case 'jaeger': {
      const { startJaeger } = await import('./jaeger.ts');
      return startJaeger();
    }
    case 'rabbitmq': {
      const { rabbitmq } = await import('./brokers.ts');
      return again(rabbitmq);
    }
    case 'mqtt': {
      const { mosquitto } = await import('./brokers.ts');
      return again(mosquitto);
    }
    case 'nats':
    case 'kafka':
      return (await import('./brokers.ts'))[name]();
    default:
      return { postgresql, mariadb, redis, mongodb, memcached }[name]();
  }
}

/** Many ports are needed at once, and each was free only a moment ago: somebody may have been faster. */
export async function again<T>(start: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempts === 3) throw error;
    }
  }
}

/**
 * A loopback port that was free a moment ago, below those that the kernel gives to outgoing
 * connections: one of them could take it before its server does, or while that restarts.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** PostgreSQL, MariaDB and memcached refuse to run as root: their folder and process get another user. */
function unprivileged(user: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of [user, 'nobody']) {
    const uid = Number(spawnSync('id', ['-u', name], { encoding: 'utf8' }).stdout);
    const gid = Number(spawnSync('id', ['-g', name], { encoding: 'utf8' }).stdout);
    if (uid > 0) return { uid, gid };
  }
  return undefined;
}

/** The servers that are up, none of which may outlive this process. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Launch {
  command: string;
  args: string[];
  port: number;
  folder: string;
  owner?: { uid: number; gid: number } | undefined;
  env?: Record<string, string>;
  /** What it writes once it serves, where accepting connections is not yet that. */
  ready?: RegExp;
  /** How long it may take to start, in milliseconds. Default: 30 seconds. */
  patience?: number;
}

/** Runs a server until it accepts connections; stopping it removes its folder. */
export async function launch(options: Launch): Promise<Instance> {
  const { command, args, port, folder, owner, env, ready, patience = 30_000 } = options;
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...owner,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  child.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  running.add(child);
  const stop = async (): Promise<void> => {
    running.delete(child);
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const serves = async (): Promise<boolean> => (!ready || ready.test(output)) && accepts(port);
  for (const deadline = Date.now() + patience; !(await serves());) {
    if (child.exitCode !== null || Date.now() > deadline) {
      const how =
        child.exitCode === null
          ? `serves nothing after ${patience} ms`
          : `ended: ${child.exitCode}`;
      await stop();
      throw new Error(`${command} did not start, it ${how}\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url: '', stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited;
  clearTimeout(forced);
}

/** Whether something accepts TCP connections at this loopback port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}

export function temporaryFolder(owner: { uid: number; gid: number } | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
  if (owner) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

function run(command: string, args: string[], owner?: { uid: number; gid: number }): void {
  const result = spawnSync(command, args, { encoding: 'utf8', cwd: tmpdir(), ...owner });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.stderr || result.stdout}`);
}

async function postgresql(): Promise<Instance | string> {
  const folders = existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql')
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => `/usr/lib/postgresql/${version}/bin`)
    : [];
  const initdb = findBinary(['initdb'], folders);
  const server = findBinary(['postgres'], folders);
  if (!initdb || !server) return 'no initdb and postgres on this machine';
  const owner = unprivileged('postgres');
  const folder = temporaryFolder(owner);
  const data = join(folder, 'data');
  const locale = ['--no-locale', '--encoding=UTF8', '--no-sync'];
  run(initdb, ['-D', data, '-U', 'clew', '--auth=trust', ...locale], owner);
  const port = await freePort();
  const options = ['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-k', folder];
  const instance = await launch({
    command: server,
    args: ['-D', data, '-p', String(port), ...options],
    port,
    folder,
    owner,
    ready: /ready to accept connections/,
  });
  return { ...instance, url: `postgresql://clew@127.0.0.1:${port}/postgres` };
}

/** PGlite behind a socket: the wire protocol of PostgreSQL, but one session for all connections. */
export async function embeddedPostgresql(): Promise<Instance | string> {
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    const { PGLiteSocketServer } = await import('@electric-sql/pglite-socket');
    const { dataDir } = await import('@electric-sql/pglite-prepopulatedfs');
    const db = await PGlite.create({ loadDataDir: await dataDir() });
    const port = await freePort();
    const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: 20 });
    await server.start();
    const stop = async (): Promise<void> => {
      await server.stop();
      await db.close();
    };
    return { url: `postgresql://postgres@127.0.0.1:${port}/postgres`, stop };
  } catch (error) {
    return `PGlite did not start: ${String(error)}`;
  }
}

async function mariadb(): Promise<Instance | string> {
  const server = findBinary(['mariadbd', 'mysqld']);
  const install = findBinary(['mariadb-install-db', 'mysql_install_db']);
  if (!server || !install) return 'no mariadbd and mariadb-install-db on this machine';
  const owner = unprivileged('mysql');
  const folder = temporaryFolder(owner);
  const data = join(folder, 'data');
  run(
    install,
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal'],
    owner,
  );
  const port = await freePort();
  const init = join(folder, 'init.sql');
  writeFileSync(
    init,
    // A line is a statement.
    [
      'CREATE DATABASE IF NOT EXISTS clew;',
      "CREATE USER IF NOT EXISTS 'clew'@'%' IDENTIFIED BY 'clew';",
      "GRANT ALL ON *.* TO 'clew'@'%';",
      '',
    ].join('\n'),
  );
  const instance = await launch({
    command: server,
    args: [
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 'sock')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--init-file=${init}`,
      '--skip-name-resolve',
      '--innodb-flush-log-at-trx-commit=0',
    ],
    port,
    folder,
    owner,
  });
  return { ...instance, url: `mysql://clew:clew@127.0.0.1:${port}/clew` };
}

async function redis(): Promise<Instance | string> {
  const server = findBinary(['redis-server', 'valkey-server']);
  if (!server) return 'no redis-server on this machine';
  const folder = temporaryFolder(undefined);
  const port = await freePort();
  const instance = await launch({
    command: server,
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
    port,
    folder,
  });
  return { ...instance, url: `redis://127.0.0.1:${port}` };
}

async function mongodb(): Promise<Instance | string> {
  const server = goBinary(FERRETDB);
  if (typeof server === 'string') return `no MONGODB_URL, and ${server}`;
  const folder = temporaryFolder(undefined);
  const port = await freePort();
  const args = [`127.0.0.1:${port}`, folder];
  const instance = await launch({ command: server.binary, args, port, folder });
  return { ...instance, url: `mongodb://127.0.0.1:${port}/` };
}

async function memcached(): Promise<Instance | string> {
  const server = findBinary(['memcached']);
  if (!server) return 'no memcached on this machine';
  const owner = unprivileged('memcache');
  const folder = temporaryFolder(owner);
  const port = await freePort();
  // Without UDP, which would be another port.
  const args = ['--port', String(port), '--listen', '127.0.0.1', '--udp-port', '0'];
  const instance = await launch({ command: server, args, port, folder, owner });
  return { ...instance, url: `memcached://127.0.0.1:${port}` };
}
