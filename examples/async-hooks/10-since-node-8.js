// What changed since the hooks came with Node 8, asked of this Node and not of its version.
import * as hooks from 'node:async_hooks';
import { print } from './lib/print.js';

const { AsyncLocalStorage, AsyncResource, createHook, executionAsyncResource } = hooks;
const say = (what, is) => print(`${what.padEnd(64)} ${is ? 'yes' : 'no'}`);

say('currentId() and triggerId(), the names of Node 8', 'currentId' in hooks);
say('executionAsyncResource(), the object and not only its id', 'executionAsyncResource' in hooks);
say('AsyncLocalStorage, so that most programs need no hook', 'AsyncLocalStorage' in hooks);
say('asyncWrapProviders, the list of types', 'asyncWrapProviders' in hooks);
say(
  'AsyncResource.bind() and AsyncLocalStorage.snapshot()',
  'bind' in AsyncResource && 'snapshot' in AsyncLocalStorage,
);

// Node 8 to 22 carried the store with a hook, on the resource. Newer ones have a frame for it.
const storage = new AsyncLocalStorage();
const before = Object.getOwnPropertySymbols(executionAsyncResource()).length;
storage.run(1, () => {
  const onResource = Object.getOwnPropertySymbols(executionAsyncResource()).length > before;
  say('AsyncLocalStorage without a hook (async context frame)', !onResource);
});

let sawPromise = false;
const hook = createHook({
  init: (_asyncId, type) => (sawPromise ||= type === 'PROMISE'),
  trackPromises: false,
}).enable();
void Promise.resolve();
hook.disable();
say('a hook that leaves promises out (trackPromises: false)', !sawPromise);
