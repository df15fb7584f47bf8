// Created by whom, and because of what: the two ids differ where a connection is accepted.
import { createHook, executionAsyncId } from 'node:async_hooks';
import { connect, createServer } from 'node:net';
import { name, print } from './lib/print.js';

const types = new Map();
const hook = createHook({
  init(asyncId, type, triggerAsyncId) {
    types.set(asyncId, type);
    if (type !== 'TCPSERVERWRAP' && type !== 'TCPWRAP') return;
    const byServer = types.get(triggerAsyncId) === 'TCPSERVERWRAP';
    print(`${type} ${name(asyncId)}`);
    print(
      `  created in the callback of ${executionAsyncId() === 0 ? 'nobody' : 'some JavaScript'}`,
    );
    print(`  because of ${byServer ? `TCPSERVERWRAP ${name(triggerAsyncId)}` : 'the same'}`);
  },
}).enable();

const server = createServer((socket) => socket.end());
server.listen(0, '127.0.0.1', () => {
  connect(server.address().port, '127.0.0.1')
    .resume()
    .on('close', () => {
      hook.disable();
      server.close();
    });
});
