// The callbacks may sit on a prototype: createHook() reads them like any property.
import { AsyncResource, createHook } from 'node:async_hooks';
import { print } from './lib/print.js';

const counts = { init: 0, before: 0, after: 0, destroy: 0 };

class Counting {
  // `this` is not this object in here: Node calls the functions, not the methods.
  init(_asyncId, type) {
    if (type === 'PROBE') counts.init++;
  }
  before() {
    counts.before++;
  }
  after() {
    counts.after++;
  }
}

class CountingDestroy extends Counting {
  destroy() {
    counts.destroy++;
  }
}

const hook = createHook(new CountingDestroy()).enable();
const probe = new AsyncResource('PROBE', { requireManualDestroy: true });
probe.runInAsyncScope(() => print('inside the probe'));
probe.runInAsyncScope(() => print('inside the probe again'));
print(`so far          ${JSON.stringify(counts)}`);

const { before, after } = counts;
probe.emitDestroy();
// destroy is told later, from a queue: never while the code that ends the resource runs.
print(`after the end   ${JSON.stringify({ before, after, destroy: counts.destroy })}`);
setImmediate(() => {
  hook.disable();
  print(`one turn later  destroy was told: ${counts.destroy > 0}`);
});
