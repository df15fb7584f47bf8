// Printing from a hook. console.log is asynchronous on pipes and terminals: it makes async
// resources, whose init would print, which makes async resources... writeSync makes none.
import { writeSync } from 'node:fs';
import { executionAsyncId } from 'node:async_hooks';

export function print(line) {
  writeSync(1, `${line}\n`);
}

// Async ids count up from the start of the process, and each Node begins elsewhere. Numbering them
// in the order in which they are shown makes two runs look the same.
const names = new Map([
  [0, 'nobody'],
  [executionAsyncId(), 'main'],
]);

export function name(asyncId) {
  if (!names.has(asyncId)) names.set(asyncId, `#${names.size - 1}`);
  return names.get(asyncId);
}
