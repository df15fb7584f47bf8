// Why console.log in a hook is a trap, and two ways out.
import { AsyncResource, createHook, executionAsyncId } from 'node:async_hooks';
import { writeSync } from 'node:fs';
import { print } from './lib/print.js';

// The way out for a library: notice that it is our own printing that makes async resources.
let printing = false;
let ownResources = 0;

const hook = createHook({
  init(_asyncId, type) {
    if (printing) {
      ownResources++;
      return;
    }
    if (type !== 'PROBE') return;
    printing = true;
    console.log(`init of a ${type}, printed with console.log`);
    printing = false;
    // The way out for a script: a synchronous write makes no async resource at all.
    writeSync(1, `init of a ${type}, printed with writeSync\n`);
  },
}).enable();

new AsyncResource('PROBE').emitDestroy();
hook.disable();
print(
  `console.log made ${ownResources > 0 ? 'async resources of its own' : 'no async resource this time: the output is a file'}`,
);
print(`still in the main script: ${executionAsyncId() === 1 || executionAsyncId() === 0}`);
