// Everything a listen() brings into being, as a tree by trigger.
import { createServer } from 'node:net';
import { printGraph, printTree, watch } from './lib/tree.js';

const watching = watch({ without: ['PROMISE'] });
const server = createServer().listen(0, '127.0.0.1', () => {
  setImmediate(() => {
    watching.stop();
    if (process.argv[2] === 'graph') printGraph(watching.records);
    else printTree(watching.records);
    server.close();
  });
});
