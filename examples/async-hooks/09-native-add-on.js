// An add-on in C that works on a thread and calls back in an async resource of a type of its own.
// Its source is native/sum.c; it is compiled here, where there is a C compiler.
import { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId } from 'node:async_hooks';
import { buildAddOn } from './lib/build-add-on.js';
import { name, print } from './lib/print.js';

const { addOn, missing } = buildAddOn();
if (missing) {
  print(`skipped: ${missing} is not here, so there is no add-on`);
} else {
  const ids = new Set();
  const show = (event) => (asyncId) => ids.has(asyncId) && print(`${event} SUM ${name(asyncId)}`);
  createHook({
    init(asyncId, type, triggerAsyncId) {
      if (type !== 'SUM') return;
      ids.add(asyncId);
      print(`init    SUM ${name(asyncId)}, triggered by ${name(triggerAsyncId)}`);
    },
    before: show('before '),
    after: show('after  '),
    destroy: show('destroy'),
  }).enable();

  const request = new AsyncLocalStorage();
  const callback = (how) => (sum) => {
    print(`        ${how}: ${sum} for ${request.getStore()}, in ${name(executionAsyncId())}`);
  };
  request.run('Ada', () => {
    addOn.sum(10, (sum) => {
      callback('as it is')(sum);
      // One after the other, so that both print in the same order everywhere.
      request.run('Ada', () => addOn.sum(10, AsyncResource.bind(callback('bound'))));
    });
  });
}
