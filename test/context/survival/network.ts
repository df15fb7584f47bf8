import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';

import type { Probe, Sources } from './case.ts';
import { done } from './source.ts';

interface Listening {
  address(): unknown;
  once(event: string, listener: () => void): unknown;
}
const portOf = async (server: Listening): Promise<number> => {
  await once(server as never, 'listening');
  return (server.address() as AddressInfo).port;
};

/** A TCP client that is told everything, against a server that answers. */
async function tcp(probe: Probe, address: () => string | 0): Promise<void> {
  const server = createServer((socket) => socket.pipe(socket)).listen(address());
  await once(server, 'listening');
  const bound = server.address() as AddressInfo | string;
  await done((resolve) => {
    const client = typeof bound === 'string' ? connect(bound) : connect(bound.port, '127.0.0.1');
    client
      .on('lookup', () => probe('lookup'))
      .on('connect', () => probe('connect'))
      .on('ready', () => probe('ready'))
      .on('data', () => probe('data'))
      .on('end', () => probe('end'))
      .on('close', () => resolve(probe('close')));
    client.write('a', () => probe('first write callback'));
    client.write('b', () => probe('second write callback'));
    client.end(() => probe('end callback'));
  });
  server.close();
  await once(server, 'close');
  probe('after the server closed');
}

/** A server made under the context, and what its handlers and its sockets see. */
async function tcpServer(probe: Probe, address: () => string | 0): Promise<void> {
  const server = createServer((socket) => {
    probe('connection');
    socket
      .on('data', () => probe('data'))
      .on('end', () => probe('end'))
      .on('close', () => probe('close'));
    socket.write('x', () => probe('write callback'));
  }).listen(address(), () => probe('listening'));
  await once(server, 'listening');
  const bound = server.address() as AddressInfo | string;
  const client = typeof bound === 'string' ? connect(bound) : connect(bound.port, '127.0.0.1');
  client.resume().end('x');
  await once(client, 'close');
  await done((resolve) => server.close(resolve));
}

const pipe = (): string =>
  join(tmpdir(), `clew-${process.pid}-${Math.random().toString(36).slice(2)}`);

export const sockets: Sources = {
  'net client': (probe) => tcp(probe, () => 0),
  'net client on a pipe': (probe) => tcp(probe, pipe),
  'net server': (probe) => tcpServer(probe, () => 0),
  'net server on a pipe': (probe) => tcpServer(probe, pipe),
  'net client, refused': async (probe) => {
    const server = createServer().listen(0);
    const port = await portOf(server);
    server.close();
    await once(server, 'close');
    await done((resolve) =>
      connect(port, '127.0.0.1')
        .on('error', () => probe('error'))
        .on('close', () => resolve(probe('close'))),
    );
  },
  'net client, timeout and setTimeout': (probe) =>
    done((resolve) => {
      const server = createServer().listen(0, () => {
        const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
        client.setTimeout(5, () => {
          probe('timeout');
          client.destroy();
          server.close(resolve);
        });
      });
    }),
  'net client, iterated': async (probe) => {
    const server = createServer((socket) => socket.end('text')).listen(0);
    for await (const _ of connect(await portOf(server), '127.0.0.1')) probe('loop');
    server.close();
  },
  'tls client': async (probe) => {
    const psk = Buffer.from('d731ef57be09e5204f0b205b60627028', 'hex');
    const server = tls
      .createServer({ pskCallback: () => psk, ciphers: 'PSK', maxVersion: 'TLSv1.2' } as never)
      .on('secureConnection', (socket) => socket.pipe(socket))
      .listen(0);
    const port = await portOf(server);
    await done((resolve) => {
      const client = tls.connect({
        port,
        host: '127.0.0.1',
        pskCallback: () => ({ psk, identity: 'clew' }),
        ciphers: 'PSK',
        maxVersion: 'TLSv1.2',
        checkServerIdentity: () => undefined,
      });
      client
        .on('secureConnect', () => probe('secureConnect'))
        .on('data', () => {
          probe('data');
          client.end();
        })
        .on('close', () => resolve(probe('close')));
      client.write('x', () => probe('write callback'));
    });
    server.close();
  },
  dgram: (probe) =>
    done((resolve) => {
      const socket = createSocket('udp4');
      socket.on('message', () => {
        probe('message');
        socket.close(() => resolve(probe('close callback')));
      });
      socket.bind(0, '127.0.0.1', () => {
        probe('bind callback');
        socket.send('a', socket.address().port, '127.0.0.1', () => probe('send callback'));
      });
    }),
};

/** A server that answers, made outside of what is measured as far as that can be. */
async function answering(): Promise<[http.Server, number]> {
  const server = http
    .createServer((incoming, response) => {
      incoming.resume().on('end', () => response.end('answer'));
    })
    .listen(0);
  return [server, await portOf(server)];
}

function ask(probe: Probe, options: http.RequestOptions): Promise<unknown> {
  return done((resolve) => {
    const request = http.request({ ...options, method: 'POST' }, (response) => {
      probe('response callback');
      response
        .on('data', () => probe('data'))
        .on('end', () => probe('end'))
        .on('close', () => resolve(probe('close of the response')));
    });
    request.on('socket', () => probe('socket')).on('finish', () => probe('finish'));
    request.write('a', () => probe('write callback'));
    request.end('b', () => probe('end callback'));
  });
}

export const web: Sources = {
  'http client': async (probe) => {
    const [server, port] = await answering();
    await ask(probe, { port, agent: false });
    server.close();
  },
  'http client, keep-alive, one after the other': async (probe) => {
    const [server, port] = await answering();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await ask(probe, { port, agent });
    await ask(probe, { port, agent });
    agent.destroy();
    server.close();
  },
  'http client, keep-alive, queued for the socket': async (probe) => {
    const [server, port] = await answering();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await Promise.all([1, 2, 3].map(() => ask(probe, { port, agent })));
    agent.destroy();
    server.close();
  },
  'http client, aborted': async (probe) => {
    const server = http.createServer(() => undefined).listen(0);
    const port = await portOf(server);
    const controller = new AbortController();
    await done((resolve) => {
      http
        .get({ port, signal: controller.signal })
        .on('error', () => probe('error'))
        .on('close', () => resolve(probe('close')));
      server.once('request', () => controller.abort());
    });
    server.closeAllConnections();
    server.close();
  },
  'http server, its handler': async (probe) => {
    const server = http
      .createServer((incoming, response) => {
        probe('request');
        incoming.resume();
        response.end('x');
      })
      .listen(0);
    const port = await portOf(server);
    await ask(() => undefined, { port, agent: false });
    server.close();
  },
  fetch: async (probe) => {
    const [server, port] = await answering();
    const response = await fetch(`http://127.0.0.1:${port}/`);
    probe('response');
    await response.text();
    probe('body');
    server.closeAllConnections();
    server.close();
  },
  'fetch, several at once': async (probe) => {
    const [server, port] = await answering();
    await Promise.all(
      [1, 2, 3].map(async () => {
        await (await fetch(`http://127.0.0.1:${port}/`)).text();
        probe('body');
      }),
    );
    server.closeAllConnections();
    server.close();
  },
  'http2 client': async (probe) => {
    const server = http2.createServer().listen(0);
    server.on('stream', (stream) => {
      stream.respond();
      stream.end('answer');
    });
    const port = await portOf(server);
    await done((resolve) => {
      const session = http2.connect(`http://127.0.0.1:${port}`, () => probe('connect'));
      const stream = session.request({ ':path': '/' });
      stream
        .on('response', () => probe('response'))
        .on('data', () => probe('data'))
        .on('end', () => probe('end'))
        .on('close', () => {
          probe('close');
          session.close(() => {
            probe('session closed');
            resolve();
          });
        });
      session.ping(() => probe('ping callback'));
    });
    server.close();
  },
  'http2 server': async (probe) => {
    const server = http2
      .createServer((incoming, response) => {
        probe('request');
        incoming.resume();
        response.end('x', () => probe('end callback'));
      })
      .listen(0);
    const port = await portOf(server);
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': '/' }).resume();
    await once(stream, 'close');
    session.close();
    server.close();
  },
  WebSocket: (globalThis as { WebSocket?: unknown }).WebSocket
    ? async (probe) => {
        const server = http.createServer().listen(0);
        server.on('upgrade', (incoming, socket) => {
          const key = createHash('sha1')
            .update(`${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
            .digest('base64');
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
          );
          setImmediate(() => socket.write(Buffer.from([0x81, 1, 120])));
          socket.once('data', () => socket.end(Buffer.from([0x88, 2, 3, 232])));
          socket.on('error', () => undefined);
        });
        const port = await portOf(server);
        const Client = (globalThis as unknown as { WebSocket: new (url: string) => EventTarget })
          .WebSocket;
        await done((resolve) => {
          const client = new Client(`ws://127.0.0.1:${port}`);
          client.addEventListener('open', () => probe('open'));
          client.addEventListener('message', () => {
            probe('message');
            (client as unknown as { close(): void }).close();
          });
          client.addEventListener('close', () => resolve(probe('close')));
        });
        server.closeAllConnections();
        server.close();
      }
    : undefined,
};
