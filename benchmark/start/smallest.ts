import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/* The smallest application: a server of `node:http` that answers a word. It sends its port when it listens. */
const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1', () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: user + system, memory: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());
