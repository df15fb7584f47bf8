import { execFile } from 'node:child_process';
import * as crypto from 'node:crypto';
import { createSocket } from 'node:dgram';
import * as dns from 'node:dns';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import * as zlib from 'node:zlib';

/*
 * For each type of async resource a small program that makes one. Everything runs on loopback and
 * cleans up after itself.
 */

const { subtle } = crypto.webcrypto;

/** Calls `start` with a callback and waits for it; the overloads of crypto defeat promisify. */
const called = (start: (done: () => void) => unknown): Promise<void> =>
  new Promise((resolve) => void start(() => resolve()));

async function tcp(): Promise<void> {
  const server = net
    .createServer({ pauseOnConnect: true }, (socket) => {
      setImmediate(() => socket.resume().end('x'));
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  // Large enough that the kernel does not take it at once: a write that waits has a resource.
  socket.end(Buffer.alloc(8 << 20));
  socket.on('error', () => undefined);
  await once(socket.resume(), 'close');
  server.close();
}

async function pipe(): Promise<void> {
  const path = join(tmpdir(), `clew-pipe-${process.pid}-${Date.now()}`);
  const server = net.createServer((socket) => socket.end('x')).listen(path);
  await once(server, 'listening');
  const socket = net.connect(path).resume();
  await once(socket, 'close');
  server.close();
}

async function httpGet(): Promise<void> {
  const server = http.createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => {
    http.get({ port, host: '127.0.0.1' }, (response) => response.resume().on('end', resolve));
  });
  server.close();
}

async function http2Get(): Promise<void> {
  const server = http2.createServer();
  server.on('stream', (stream) => stream.end('x'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http2.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
  const stream = client.request({ ':path': '/' });
  stream.resume().end();
  await once(stream, 'close');
  await new Promise((resolve) => client.settings({ enablePush: false }, () => resolve(undefined)));
  await new Promise((resolve) => client.ping(() => resolve(undefined)));
  client.close();
  server.close();
}

async function udp(): Promise<void> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  await new Promise((resolve) => {
    socket.send('x', socket.address().port, '127.0.0.1', resolve);
  });
  socket.close();
}

async function tlsOverJavaScript(): Promise<void> {
  const duplex = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const secure = tls.connect({ socket: duplex });
  secure.on('error', () => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  secure.destroy();
}

async function worker(): Promise<void> {
  const thread = new Worker('', { eval: true });
  await once(thread, 'exit');
}

async function messagePort(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const received = once(port1, 'message');
  port2.postMessage('x');
  await received;
  port1.close();
}

async function lookup(): Promise<void> {
  await promisify(dns.lookup)('localhost');
}

async function query(): Promise<void> {
  const names = createSocket('udp4').bind(0, '127.0.0.1');
  names.on('message', (question, from) => {
    const header = Buffer.from([0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    names.send(
      Buffer.concat([question.subarray(0, 2), header, question.subarray(12)]),
      from.port,
      from.address,
    );
  });
  await once(names, 'listening');
  const resolver = new dns.promises.Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${names.address().port}`]);
  await resolver.resolve4('clew.test').catch(() => undefined);
  names.close();
}

async function child(): Promise<void> {
  await promisify(execFile)(process.execPath, ['--version']);
}

async function signal(): Promise<void> {
  const listener = (): void => undefined;
  process.on('SIGWINCH', listener);
  process.off('SIGWINCH', listener);
}

async function watch(): Promise<void> {
  fs.watch(tmpdir()).close();
}

async function stat(): Promise<void> {
  const file = join(tmpdir(), `clew-watch-${process.pid}`);
  fs.watchFile(file, () => undefined);
  fs.unwatchFile(file);
}

async function openFile(): Promise<void> {
  const handle = await fs.promises.open(process.execPath);
  await handle.stat();
  await handle.close();
}

async function directory(): Promise<void> {
  const folder = await fs.promises.opendir(tmpdir());
  await folder.close();
}

const key = (): crypto.webcrypto.EcKeyGenParams & { name: string } => ({
  name: 'ECDSA',
  namedCurve: 'P-256',
});

async function signAndVerify(): Promise<void> {
  const pair = await subtle.generateKey(key(), true, ['sign', 'verify']);
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await subtle.sign(algorithm, pair.privateKey, Buffer.from('x'));
  await subtle.verify(algorithm, pair.publicKey, signature, Buffer.from('x'));
}

async function derive(): Promise<void> {
  const material = await subtle.importKey('raw', Buffer.from('secret'), 'HKDF', false, [
    'deriveBits',
  ]);
  const salt = Buffer.alloc(8);
  await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info: salt }, material, 128);
}

/** Makes an async resource of the type it is filed under. */
export const makers: Record<string, () => Promise<unknown>> = {
  CHECKPRIMEREQUEST: () => called((done) => crypto.checkPrime(7n, done)),
  DERIVEBITSREQUEST: derive,
  DIRHANDLE: directory,
  DNSCHANNEL: query,
  FILEHANDLE: openFile,
  FILEHANDLECLOSEREQ: openFile,
  FSEVENTWRAP: watch,
  FSREQCALLBACK: () => promisify(fs.stat)(tmpdir()),
  FSREQPROMISE: openFile,
  GETADDRINFOREQWRAP: lookup,
  GETNAMEINFOREQWRAP: () => promisify(dns.lookupService)('127.0.0.1', 80).catch(() => undefined),
  HTTP2PING: http2Get,
  HTTP2SESSION: http2Get,
  HTTP2SETTINGS: http2Get,
  HTTP2STREAM: http2Get,
  HTTPCLIENTREQUEST: httpGet,
  HTTPINCOMINGMESSAGE: httpGet,
  JSSTREAM: tlsOverJavaScript,
  KEYGENREQUEST: () => called((done) => crypto.generateKey('hmac', { length: 64 }, done)),
  KEYPAIRGENREQUEST: () =>
    called((done) => crypto.generateKeyPair('ec', { namedCurve: 'P-256' }, done)),
  MESSAGEPORT: messagePort,
  PBKDF2REQUEST: () => called((done) => crypto.pbkdf2('secret', 'salt', 1, 8, 'sha256', done)),
  PIPECONNECTWRAP: pipe,
  PIPESERVERWRAP: pipe,
  PIPEWRAP: pipe,
  PROCESSWRAP: child,
  PROMISE: () => Promise.resolve(),
  QUERYWRAP: query,
  RANDOMBYTESREQUEST: () => promisify(crypto.randomBytes)(8),
  RANDOMPRIMEREQUEST: () => called((done) => crypto.generatePrime(16, done)),
  SCRYPTREQUEST: () => called((done) => crypto.scrypt('secret', 'salt', 8, done)),
  SHUTDOWNWRAP: tcp,
  SIGNALWRAP: signal,
  SIGNREQUEST: signAndVerify,
  STATWATCHER: stat,
  TCPCONNECTWRAP: tcp,
  TCPSERVERWRAP: tcp,
  TCPWRAP: tcp,
  TLSWRAP: tlsOverJavaScript,
  UDPWRAP: udp,
  WORKER: worker,
  WRITEWRAP: tcp,
  ZLIB: () => promisify(zlib.gzip)('x'),
};
