// executionAsyncId() says whose callback is running; triggerAsyncId() why that callback exists.
import { executionAsyncId, triggerAsyncId } from 'node:async_hooks';
import { close, open } from 'node:fs';
import { name, print } from './lib/print.js';

function show(where) {
  print(
    `${where.padEnd(24)} execution ${name(executionAsyncId())}, trigger ${name(triggerAsyncId())}`,
  );
}

show('main script');
open('/', 'r', (error, fd) => {
  if (error) throw error;
  show('in fs.open');
  close(fd, () => {
    show('in fs.close, inside it');
    setImmediate(() => show('in setImmediate, inside'));
  });
});

// No hook is on: Node gives promises no ids of their own then.
void Promise.resolve().then(() => {
  const id = executionAsyncId();
  print(`${'in then(), no hook'.padEnd(24)} execution ${id <= 1 ? 'main or nobody' : name(id)}`);
});
