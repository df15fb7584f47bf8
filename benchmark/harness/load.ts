import { connect, type Socket } from 'node:net';

/*
 * A load generator in a process of its own, so that what it costs is not counted. Its first message
 * says that it is ready. Each message to it is answered when the server has answered `count` requests, sent over keep-alive connections, one at
 * a time on each; the answer has the wall time of all and that of the slowest percent begins at, in
 * milliseconds.
 */
export interface Load {
  port: number;
  count: number;
  connections?: number;
  /** The bytes of a request. */
  request?: string;
}
export interface Loaded {
  elapsed: number;
  p99: number;
}

const REQUEST = 'POST /users/42 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody';
const servers = new Map<number, Socket[]>();

process.on('message', (message) => {
  const { port, count, connections = 8, request = REQUEST } = message as Load;
  const sockets = servers.get(port) ?? [];
  servers.set(port, sockets);
  while (sockets.length < connections) {
    sockets.push(connect(port, '127.0.0.1').setNoDelay());
  }
  const latencies: number[] = [];
  const start = performance.now();
  let toSend = count;
  for (const socket of sockets) {
    let sent = 0;
    const next = (): void => {
      if (toSend <= 0) return;
      toSend -= 1;
      sent = performance.now();
      socket.write(request);
    };
    socket.removeAllListeners('data');
    // One response, one chunk: they are small, and there is one at a time.
    socket.on('data', () => {
      latencies.push(performance.now() - sent);
      if (latencies.length === count) process.send?.(summary(start, latencies));
      else next();
    });
    next();
  }
});

function summary(start: number, latencies: readonly number[]): Loaded {
  const sorted = latencies.toSorted((a, b) => a - b);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  return { elapsed: performance.now() - start, p99 };
}

process.on('disconnect', () => process.exit());
process.send?.('ready');
