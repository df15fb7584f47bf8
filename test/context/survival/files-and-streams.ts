import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, promises as readlinePromises } from 'node:readline';
import { finished, PassThrough, pipeline, Readable, Transform, Writable } from 'node:stream';
import { finished as finishing, pipeline as piping } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Sources } from './case.ts';
import { duplexPair } from './duplex-pair.ts';
import { called, done, scratch } from './source.ts';

const FILE = fileURLToPath(import.meta.url);

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
