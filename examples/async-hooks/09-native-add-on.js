// What a native add-on has to do, written in JavaScript: napi_async_init makes the resource,
// napi_make_callback runs the callback in it, napi_async_destroy ends it. node:zlib is one that
// does: its threads work outside JavaScript and come back through its resource.
import { AsyncLocalStorage, createHook, executionAsyncId } from 'node:async_hooks';
import { gzip } from 'node:zlib';
import { name, print } from './lib/print.js';

const types = new Map();
const hook = createHook({
  init(asyncId, type, triggerAsyncId) {
    types.set(asyncId, type);
    if (type === 'ZLIB')
      print(`init    ZLIB ${name(asyncId)}, triggered by ${name(triggerAsyncId)}`);
  },
  before: (asyncId) => types.get(asyncId) === 'ZLIB' && print(`before  ZLIB ${name(asyncId)}`),
  after: (asyncId) => types.get(asyncId) === 'ZLIB' && print(`after   ZLIB ${name(asyncId)}`),
}).enable();

const request = new AsyncLocalStorage();
request.run('the request that compressed', () => {
  gzip('text', () => {
    hook.disable();
    print(`the callback still knows ${request.getStore()}`);
    print(`and runs in a ${types.get(executionAsyncId())}`);
  });
});
