import { connect, type Socket } from 'node:net';

/*
 * A load generator in a process of its own, so that what it costs is not counted. Each message
 * `{ port, count }` is answered when the server has answered `count` requests, sent over a few
 * keep-alive connections, one at a time on each.
 */
const CONNECTIONS = 8;
const REQUEST = 'POST /users/42 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody';
let sockets: Socket[] = [];

process.on('message', (message) => {
  const { port, count } = message as { port: number; count: number };
  if (sockets.length === 0) {
    sockets = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1').setNoDelay());
  }
  let toSend = count;
  let toCome = count;
  for (const socket of sockets) {
    const next = (): void => {
      if (toSend <= 0) return;
      toSend -= 1;
      socket.write(REQUEST);
    };
    socket.removeAllListeners('data');
    // One response, one chunk: they are small, and there is one at a time.
    socket.on('data', () => {
      toCome -= 1;
      if (toCome === 0) process.send?.('done');
      else next();
    });
    next();
  }
});

process.on('disconnect', () => process.exit());
