'use strict';

/* Node alone: an exception that escapes process.nextTick leaves its AsyncLocalStorage store behind. */

const { AsyncLocalStorage } = require('node:async_hooks');
const { connect, createServer } = require('node:net');

const storage = new AsyncLocalStorage();
process.on('uncaughtException', () => {});

const server = createServer((socket) => {
  socket.once('data', () => {
    // Nothing has entered the storage for this connection.
    console.log(`a later connection sees: ${storage.getStore()}`);
    socket.end();
    server.close();
  });
});

server.listen(0, '127.0.0.1', () => {
  storage.run('the store of the callback that threw', () => {
    process.nextTick(() => {
      throw new Error('escaped');
    });
  });
  setTimeout(() => connect(server.address().port, '127.0.0.1').resume().write('x'), 50);
});
