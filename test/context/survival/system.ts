import { exec, execFile, fork, spawn } from 'node:child_process';
import * as crypto from 'node:crypto';
import { lookup, Resolver, promises as dns } from 'node:dns';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, promises as readlinePromises } from 'node:readline';
import { duplexPair } from './duplex-pair.ts';
import { finished, PassThrough, pipeline, Readable, Transform, Writable } from 'node:stream';
import { finished as finishing, pipeline as piping } from 'node:stream/promises';
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BroadcastChannel, MessageChannel, Worker } from 'node:worker_threads';
import * as zlib from 'node:zlib';

import type { Probe, Source, Sources } from './case.ts';

type Resolve = (value?: unknown) => void;
const done = <Result>(body: (resolve: Resolve) => Result): Promise<unknown> =>
  new Promise((resolve) => void body(resolve));
const FILE = fileURLToPath(import.meta.url);
const scratch = (): string =>
  join(tmpdir(), `clew-survival-${process.pid}-${Math.random().toString(36).slice(2)}`);
const quick = [process.execPath, ['-e', '']] as const;
/** A source that takes one callback. */
const called =
  (start: (callback: () => void) => unknown): Source =>
  (probe) =>
    done((resolve) => start(() => resolve(probe('callback'))));

export const files: Sources = {
  'fs.stat': called((callback) => fs.stat(FILE, callback)),
  'fs.readFile': called((callback) => fs.readFile(FILE, callback)),
  'fs.open, read and close': (probe) =>
    done((resolve) =>
      fs.open(FILE, (_error, fd) => {
        probe('open');
        fs.read(fd, Buffer.alloc(8), 0, 8, 0, () => {
          probe('read');
          fs.close(fd, () => resolve(probe('close')));
        });
      }),
    ),
  'fs.writeFile and unlink': (probe) =>
    done((resolve) => {
      const file = scratch();
      fs.writeFile(file, 'text', () => {
        probe('writeFile');
        fs.unlink(file, () => resolve(probe('unlink')));
      });
    }),
  'fs.mkdtemp and rm': (probe) =>
    done((resolve) =>
      fs.mkdtemp(scratch(), (_error, folder) => {
        probe('mkdtemp');
        fs.rm(folder, { recursive: true }, () => resolve(probe('rm')));
      }),
    ),
  'fs.readdir': called((callback) => fs.readdir(tmpdir(), callback)),
  'fs.opendir': async (probe) => {
    for await (const _ of await fs.promises.opendir(tmpdir())) {
      probe('loop');
      break;
    }
  },
  'fs.promises': async (probe) => {
    await fs.promises.stat(FILE);
    probe('stat');
    await fs.promises.readFile(FILE);
    probe('readFile');
  },
  FileHandle: async (probe) => {
    const handle = await fs.promises.open(FILE);
    probe('open');
    await handle.read(Buffer.alloc(8), 0, 8, 0);
    probe('read');
    for await (const _ of handle.readLines()) {
      probe('readLines');
      break;
    }
    await handle.close();
    probe('close');
  },
  'fs.createReadStream': (probe) =>
    done((resolve) => {
      fs.createReadStream(FILE, { end: 10 })
        .on('open', () => probe('open'))
        .on('data', () => probe('data'))
        .on('end', () => probe('end'))
        .on('close', () => resolve(probe('close')));
    }),
  'fs.createWriteStream': (probe) =>
    done((resolve) => {
      const file = scratch();
      const stream = fs.createWriteStream(file);
      stream.write('a', () => probe('write callback'));
      stream.on('finish', () => probe('finish'));
      stream.on('close', () => {
        probe('close');
        fs.unlink(file, resolve);
      });
      stream.end('b', () => probe('end callback'));
    }),
  'fs.watch': async (probe) => {
    const folder = await fs.promises.mkdtemp(scratch());
    const watcher = fs.watch(folder);
    const changed = done((resolve) => watcher.once('change', () => resolve(probe('change'))));
    await delay(20);
    await fs.promises.writeFile(join(folder, 'file'), 'x');
    await changed;
    watcher.close();
    await fs.promises.rm(folder, { recursive: true });
  },
  'fs.watchFile': async (probe) => {
    const file = scratch();
    await fs.promises.writeFile(file, 'x');
    const changed = done((resolve) =>
      fs.watchFile(file, { interval: 5 }, () => resolve(probe('listener'))),
    );
    await delay(20);
    await fs.promises.writeFile(file, 'longer');
    await changed;
    fs.unwatchFile(file);
    await fs.promises.unlink(file);
  },
};

export const streams: Sources = {
  'Readable.from': (probe) =>
    done((resolve) =>
      Readable.from(['a'])
        .on('data', () => probe('data'))
        .on('end', () => probe('end'))
        .on('close', () => resolve(probe('close'))),
    ),
  'iteration of a stream': async (probe) => {
    for await (const _ of Readable.from(['a', 'b'])) probe('loop');
    probe('after the loop');
  },
  'Readable and read': (probe) =>
    done((resolve) =>
      new Readable({
        read() {
          probe('read');
          this.push(null);
        },
      })
        .on('readable', () => probe('readable'))
        .on('end', () => resolve(probe('end')))
        .resume(),
    ),
  'Writable, queued writes': (probe) =>
    done((resolve) => {
      const stream = new Writable({
        write: (_chunk, _encoding, callback) => {
          probe('write');
          setImmediate(callback);
        },
        final: (callback) => {
          probe('final');
          callback();
        },
      });
      stream.write('a', () => probe('first callback'));
      stream.write('b', () => probe('second callback'));
      stream.end(() => resolve(probe('end callback')));
    }),
  Transform: (probe) =>
    done((resolve) =>
      new Transform({
        transform: (chunk, _encoding, callback) => {
          probe('transform');
          callback(null, chunk);
        },
        flush: (callback) => {
          probe('flush');
          callback();
        },
      })
        .on('end', () => resolve(probe('end')))
        .resume()
        .end('text'),
    ),
  'pipe and finished': (probe) =>
    done((resolve) => {
      const to = Readable.from(['a']).pipe(new PassThrough());
      to.resume();
      finished(to, () => resolve(probe('finished')));
    }),
  'pipeline with a callback': (probe) =>
    done((resolve) =>
      pipeline(Readable.from(['a']), new PassThrough().resume(), () => resolve(probe('callback'))),
    ),
  'stream/promises': async (probe) => {
    const to = new PassThrough().resume();
    await piping(Readable.from(['a']), to);
    probe('pipeline');
    await finishing(to);
    probe('finished');
  },
  'error and destroy of a stream': (probe) =>
    done((resolve) =>
      new PassThrough()
        .on('error', () => probe('error'))
        .on('close', () => resolve(probe('close')))
        .destroy(new Error('planted')),
    ),
  'a pair of duplex streams': (probe) =>
    done((resolve) => {
      const [left, right] = duplexPair();
      right.on('data', () => probe('data')).on('end', () => resolve(probe('end')));
      left.end('text', () => probe('end callback'));
    }),
  'web streams': async (probe) => {
    const transform = new TransformStream({
      transform: (chunk, to) => {
        to.enqueue(chunk);
      },
    });
    const source = new ReadableStream({
      pull: (controller) => {
        probe('pull');
        controller.enqueue('a');
        controller.close();
      },
    });
    for await (const _ of source.pipeThrough(transform) as unknown as AsyncIterable<unknown>) {
      probe('loop');
    }
    const sink = new WritableStream({ write: () => probe('write'), close: () => probe('close') });
    const writer = sink.getWriter();
    await writer.write('a');
    probe('continuation');
    await writer.close();
  },
  'CompressionStream and Blob': async (probe) => {
    const stream = new Blob(['text']).stream().pipeThrough(new CompressionStream('gzip'));
    await new Response(stream).arrayBuffer();
    probe('continuation');
  },
  readline: (probe) =>
    done((resolve) =>
      createInterface({ input: Readable.from(['line\n']) })
        .on('line', () => probe('line'))
        .on('close', () => resolve(probe('close'))),
    ),
  'readline, iterated': async (probe) => {
    for await (const _ of createInterface({ input: Readable.from(['a\nb\n']) })) probe('loop');
  },
  'readline, question': (probe) =>
    done((resolve) => {
      const input = new PassThrough();
      const reader = createInterface({ input, output: new PassThrough().resume() });
      reader.question('?', () => {
        probe('callback');
        reader.close();
        resolve();
      });
      setImmediate(() => input.write('answer\n'));
    }),
  'readline/promises': async (probe) => {
    const input = new PassThrough();
    const reader = readlinePromises.createInterface({
      input,
      output: new PassThrough().resume(),
    });
    setImmediate(() => input.write('answer\n'));
    await reader.question('?');
    probe('continuation');
    reader.close();
  },
};

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
