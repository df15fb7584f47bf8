// The life of one async resource: init, before, after, destroy. And promiseResolve for promises.
import { createHook } from 'node:async_hooks';
import { name, print } from './lib/print.js';

const seen = new Map();
const show = (event) => (asyncId) => {
  if (seen.has(asyncId)) print(`${event.padEnd(15)} ${seen.get(asyncId)} ${name(asyncId)}`);
};

const hook = createHook({
  init(asyncId, type, triggerAsyncId) {
    // The module itself is loaded with promises: only what begins at our timer is shown.
    if (type !== 'Timeout' && !seen.has(triggerAsyncId)) return;
    seen.set(asyncId, type);
    print(`init            ${type} ${name(asyncId)}, triggered by ${name(triggerAsyncId)}`);
  },
  before: show('before'),
  after: show('after'),
  destroy: show('destroy'),
  promiseResolve: show('promiseResolve'),
});

// This one is made before the hook is on, so nobody hears of it.
setTimeout(() => hook.disable(), 50);

hook.enable();
setTimeout(() => {
  print('                the callback of the timer');
  // A promise is destroyed when it is collected, which may be never: none is shown here.
  void Promise.resolve('value').then(() => print('                the callback of then()'));
}, 1);
