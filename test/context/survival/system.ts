import { exec, execFile, fork, spawn } from 'node:child_process';
import * as crypto from 'node:crypto';
import { lookup, Resolver, promises as dns } from 'node:dns';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setImmediate as immediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BroadcastChannel, MessageChannel, Worker } from 'node:worker_threads';
import * as zlib from 'node:zlib';

import type { Probe, Source, Sources } from './case.ts';
import { called, done, scratch } from './source.ts';

const FILE = fileURLToPath(import.meta.url);
const quick = [process.execPath, ['-e', '']] as const;

interface Sqlite {
  DatabaseSync: new (path: string) => {
    function(name: string, fn: () => number): void;
    prepare(sql: string): { get(): unknown };
    close(): void;
  };
}

// Not a name that Node 20 knows, and so not one to import.
const SQLITE = (process as { getBuiltinModule?(name: string): unknown }).getBuiltinModule?.(
  'node:sqlite',
) as Sqlite | undefined;

function overSqlite({ DatabaseSync }: Sqlite): Source {
  return async (probe) => {
    const database = new DatabaseSync(':memory:');
    database.function('seen', () => {
      probe('function');
      return 1;
    });
    database.prepare('SELECT seen()').get();
    await immediate();
    probe('continuation');
    database.close();
  };
}

export const computing: Sources = {
  'zlib.deflate': called((callback) => zlib.deflate('text', callback)),
  'zlib.gzip and gunzip': (probe) =>
    done((resolve) =>
      zlib.gzip('text', (_error, data) => {
        probe('gzip');
        zlib.gunzip(data, () => resolve(probe('gunzip')));
      }),
    ),
  'zlib.brotliCompress': called((callback) => zlib.brotliCompress('text', callback)),
  'zlib stream': (probe) =>
    done((resolve) => {
      const stream = zlib.createGzip();
      stream.on('data', () => probe('data')).on('end', () => resolve(probe('end')));
      stream.write('a', () => probe('first callback'));
      stream.write('b', () => probe('second callback'));
      stream.flush(() => probe('flush callback'));
      stream.end('c');
    }),
  'crypto.randomBytes': called((callback) => crypto.randomBytes(8, callback)),
  'crypto.randomInt and randomFill': (probe) =>
    done((resolve) =>
      crypto.randomInt(10, () => {
        probe('randomInt');
        crypto.randomFill(Buffer.alloc(8), () => resolve(probe('randomFill')));
      }),
    ),
  'crypto.pbkdf2': called((callback) => crypto.pbkdf2('a', 'b', 1, 8, 'sha256', callback)),
  'crypto.scrypt': called((callback) => crypto.scrypt('a', 'b', 8, { N: 2 }, callback)),
  'crypto.hkdf': called((callback) => crypto.hkdf('sha256', 'a', 'b', 'c', 8, callback)),
  'crypto.generateKeyPair': called((callback) => crypto.generateKeyPair('ed25519', {}, callback)),
  'crypto.sign and verify': (probe) =>
    done((resolve) => {
      const { privateKey, publicKey } = crypto.generateKeyPairSync('ed25519');
      crypto.sign(null, Buffer.from('a'), privateKey, (_error, signature) => {
        probe('sign');
        crypto.verify(null, Buffer.from('a'), publicKey, signature, () => resolve(probe('verify')));
      });
    }),
  'crypto.subtle': async (probe) => {
    await crypto.subtle.digest('SHA-256', Buffer.from('a'));
    probe('digest');
    await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
    probe('generateKey');
  },
  'dns.lookup': called((callback) => lookup('127.0.0.1', callback)),
  'dns.promises.lookup': async (probe) => {
    await dns.lookup('localhost');
    probe('continuation');
  },
  'dns.Resolver, cancelled': (probe) =>
    done((resolve) => {
      const resolver = new Resolver();
      resolver.setServers(['127.0.0.1:9']);
      resolver.resolve4('clew.invalid', () => resolve(probe('callback')));
      setImmediate(() => resolver.cancel());
    }),
  'native add-on, callback': called((callback) => bcrypt().hash('secret', 4, callback)),
  'native add-on, promise': async (probe) => {
    await bcrypt().hash('secret', 4);
    probe('continuation');
  },
  'node:sqlite': SQLITE && overSqlite(SQLITE),
};

interface Bcrypt {
  hash(data: string, rounds: number, callback: () => void): void;
  hash(data: string, rounds: number): Promise<string>;
}

function bcrypt(): Bcrypt {
  return createRequire(import.meta.url)('bcrypt') as Bcrypt;
}

const messages = (probe: Probe, worker: Worker): Promise<unknown> =>
  done((resolve) =>
    worker
      .on('online', () => probe('online'))
      .on('message', () => probe('message'))
      .on('exit', () => resolve(probe('exit'))),
  );

export const processes: Sources = {
  'child_process.exec': called((callback) => exec(`"${process.execPath}" -e ""`, callback)),
  'child_process.execFile': called((callback) => execFile(...quick, callback)),
  'child_process.spawn': (probe) =>
    done((resolve) => {
      const child = spawn(process.execPath, ['-p', '1']);
      child.stdout.on('data', () => probe('stdout'));
      child
        .on('spawn', () => probe('spawn'))
        .on('exit', () => probe('exit'))
        .on('close', () => resolve(probe('close')));
    }),
  'child_process.fork': (probe) =>
    done((resolve) => {
      const child = fork(FILE, ['child'], {
        execArgv: ['--import', 'data:text/javascript,process.once("message",()=>process.exit())'],
        stdio: 'ignore',
      });
      child.on('exit', () => resolve(probe('exit')));
      child.send('text', () => probe('send callback'));
    }),
  Worker: (probe) =>
    messages(
      probe,
      new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true }),
    ),
  'Worker.terminate': async (probe) => {
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    await once(worker, 'online');
    probe('online');
    await worker.terminate();
    probe('terminated');
  },
  MessageChannel: (probe) =>
    done((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.on('message', () => {
        probe('message');
        port1.close();
      });
      port1.on('close', () => resolve(probe('close')));
      port2.postMessage(1);
    }),
  BroadcastChannel: (probe) =>
    done((resolve) => {
      const name = scratch();
      const from = new BroadcastChannel(name);
      const to = new BroadcastChannel(name);
      // oxlint-disable-next-line unicorn/prefer-add-event-listener
      to.onmessage = () => {
        from.close();
        to.close();
        resolve(probe('message'));
      };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      from.postMessage(1);
    }),
  signal: (probe) =>
    done((resolve) => {
      process.once('SIGUSR2', () => resolve(probe('listener')));
      process.kill(process.pid, 'SIGUSR2');
    }),
  'process warning': (probe) =>
    done((resolve) => {
      const listener = (): void => resolve(probe('listener'));
      process.once('warning', listener);
      process.emitWarning('planted', { code: 'CLEW_TEST' });
    }),
};
