import { AsyncResource } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns';
import { EventEmitter, on, once } from 'node:events';
import { createReadStream, readFile, stat, promises as fs } from 'node:fs';
import { Agent, createServer as createHttpServer, get, type Server as HttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { deflate, gunzipSync, gzip } from 'node:zlib';

/*
 * Asynchronous sources a random program is made of. Each calls back, or settles, in the context
 * that asked for it: under `AsyncLocalStorage` as well, which makes that the oracle.
 */

/** What the programs of a campaign share: made once, under no context. */
export interface Servers {
  outside: AsyncResource;
  tcp: Server;
  http: HttpServer;
  agent: Agent;
}

export async function startServers(): Promise<Servers> {
  const tcp = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  const http = createHttpServer((incoming, response) => {
    incoming.resume().on('end', () => response.end('answer'));
  }).listen(0, '127.0.0.1');
  await Promise.all([once(tcp, 'listening'), once(http, 'listening')]);
  return {
    outside: new AsyncResource('PROBE'),
    tcp,
    http,
    agent: new Agent({ keepAlive: true, maxSockets: 2 }),
  };
}

export async function stopServers({ tcp, http, agent }: Servers): Promise<void> {
  agent.destroy();
  tcp.close();
  http.close();
  http.closeAllConnections();
  await Promise.all([once(tcp, 'close'), once(http, 'close')]);
}

const FILE = fileURLToPath(import.meta.url);
const portOf = (server: Server | HttpServer): number => (server.address() as AddressInfo).port;
type Callback = () => void;

/** `callback` is called once. */
export const CALLBACKS: Record<string, (callback: Callback, servers: Servers) => void> = {
  nextTick: (callback) => process.nextTick(callback),
  microtask: (callback) => queueMicrotask(callback),
  immediate: (callback) => void setImmediate(callback),
  timeout: (callback) => void setTimeout(callback, 1),
  'timeout of none': (callback) => void setTimeout(callback),
  'refreshed timeout': (callback) => void setTimeout(callback, 1).refresh(),
  interval: (callback) => {
    const interval = setInterval(() => {
      clearInterval(interval);
      callback();
    }, 1);
  },
  continuation: (callback) => void Promise.resolve().then(callback),
  catch: (callback) => void Promise.reject(new Error('planted')).catch(callback),
  finally: (callback) => void Promise.resolve().finally(callback),
  'fs.stat': (callback) => stat(FILE, callback),
  'fs.readFile': (callback) => readFile(FILE, callback),
  'fs stream': (callback) => void createReadStream(FILE).resume().once('close', callback),
  'crypto.randomBytes': (callback) => randomBytes(8, callback),
  'zlib.deflate': (callback) => deflate('text', callback),
  'zlib.gzip': (callback) =>
    gzip('text', (_error, data) => {
      gunzipSync(data);
      callback();
    }),
  'dns.lookup': (callback) => lookup('127.0.0.1', callback),
  'message port': (callback) => {
    const { port1, port2 } = new MessageChannel();
    port1.once('message', () => {
      port1.close();
      callback();
    });
    port2.postMessage('text');
  },
  'net client': (callback, { tcp }) => {
    const client = connect(portOf(tcp), '127.0.0.1', () => client.end('x'));
    client.resume().once('close', callback);
  },
  'http client': (callback, { http }) =>
    void get({ port: portOf(http), host: '127.0.0.1', agent: false }, (response) =>
      response.resume().once('end', callback),
    ),
  'http client, keep-alive': (callback, { http, agent }) =>
    void get({ port: portOf(http), host: '127.0.0.1', agent }, (response) => {
      response.resume();
      callback();
    }),
  'emitter from a timer': (callback) => {
    const emitter = new EventEmitter().once('event', callback);
    setImmediate(() => emitter.emit('event'));
  },
  'stream data': (callback) => {
    const stream = new PassThrough();
    stream.once('data', callback);
    setImmediate(() => stream.end('text'));
  },
  readline: (callback) =>
    void createInterface({ input: Readable.from(['line\n']) }).once('line', callback),
  AsyncResource: (callback) => {
    const resource = new AsyncResource('PROBE');
    setImmediate(() => resource.runInAsyncScope(callback));
  },
};

/** Settles by itself; what it settles with does not matter. */
export const AWAITABLES: Record<string, (servers: Servers) => unknown> = {
  value: () => 1,
  promise: () => Promise.resolve(1),
  rejection: () => Promise.reject(new Error('planted')).catch(() => undefined),
  thenable: () => ({
    // oxlint-disable-next-line unicorn/no-thenable
    then: (resolve: Callback) => setImmediate(resolve),
  }),
  'promise of a thenable': () =>
    // oxlint-disable-next-line unicorn/no-thenable
    Promise.resolve({ then: (resolve: Callback) => queueMicrotask(resolve) }),
  'timers/promises': () => delay(1),
  'setImmediate of timers/promises': () => immediate(),
  'aborted timer': async () => {
    const controller = new AbortController();
    const timer = delay(1000, undefined, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await timer.catch(() => undefined);
  },
  'fs.promises': () => fs.stat(FILE),
  'Promise.all': () => Promise.all([immediate(), Promise.resolve(), delay(1)]),
  'Promise.race': () => Promise.race([immediate(), delay(2)]),
  'Promise.any': () => Promise.any([Promise.reject(new Error('planted')), immediate()]),
  'Promise.allSettled': () => Promise.allSettled([Promise.reject(new Error('planted')), delay(1)]),
  'events.once': () => {
    const emitter = new EventEmitter();
    setImmediate(() => emitter.emit('event'));
    return once(emitter, 'event');
  },
  'events.on': async () => {
    const emitter = new EventEmitter();
    setImmediate(() => emitter.emit('event'));
    for await (const _ of on(emitter, 'event')) break;
  },
  'async generator': async () => {
    async function* generate(): AsyncGenerator<number> {
      yield 1;
      await immediate();
      yield 2;
    }
    for await (const _ of generate()) continue;
  },
  'stream iteration': async () => {
    for await (const _ of Readable.from(['a', 'b'])) continue;
  },
  pipeline: () =>
    pipeline(
      Readable.from(['text']),
      new Transform({
        transform: (chunk, _encoding, done) => void setImmediate(() => done(null, chunk)),
      }),
      new PassThrough().resume(),
    ),
  'web stream': async () => {
    const reader = new Blob(['text']).stream().getReader();
    await reader.read();
  },
  'tcp answer': async ({ tcp }) => {
    const client = connect(portOf(tcp), '127.0.0.1');
    client.end('x');
    for await (const _ of client) continue;
  },
};
