// The async resources of one GET request, client and server in one process, in order of creation.
import { createServer, get } from 'node:http';
import { name, print } from './lib/print.js';
import { printGraph, watch } from './lib/tree.js';

const server = createServer((_request, response) => response.end('hello'));

server.listen(0, '127.0.0.1', () => {
  // Promises, ticks and timers are left out: they are many, and every Node has others.
  const watching = watch({ only: /^(TCP|HTTP|GETADDR|WRITE)/ });
  get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
    response.resume().on('end', () => {
      watching.stop();
      server.close();
      if (process.argv[2] === 'graph') return printGraph(watching.records);
      for (const { asyncId, type, trigger } of watching.records.values()) {
        print(`${type.padEnd(20)} ${name(asyncId)} triggered by ${name(trigger)}`);
      }
    });
  });
});
