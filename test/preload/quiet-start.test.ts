import assert from 'node:assert/strict';

import { folderWith, PRELOADS, run } from './support.ts';

const FILES = {
  // Has one timer. Reports what else runs within it, promises and microtasks, and what was loaded.
  'main.cjs': `const { createHook, executionAsyncResource } = require('node:async_hooks');
    const ran = [];
    const before = () => {
      const { name } = executionAsyncResource().constructor;
      if (name === 'Promise' || name === 'AsyncResource') ran.push(name);
    };
    createHook({ before }).enable();
    const loaded = process.moduleLoadList.filter((name) => /undici\\/|http2/.test(name));
    setTimeout(() => console.log(JSON.stringify({ ran, loaded })), 50);\n`,
};

describe('clew/register before the first line of the program', function () {
  this.timeout(120_000);
  let folder: string;
  let remove: () => void;

  before(() => ({ folder, remove } = folderWith(FILES)));
  after(() => remove());

  for (const [how, flags] of Object.entries(PRELOADS)) {
    const report = (): { ran: string[]; loaded: string[] } => {
      const { stdout, stderr } = run([...flags, 'main.cjs'], { cwd: folder });
      assert.equal(stderr, '');
      return JSON.parse(stdout) as ReturnType<typeof report>;
    };

    it(`${how}: loads neither undici nor HTTP/2`, () => {
      assert.deepEqual(report().loaded, []);
    });

    // With `--import` Node's own loader leaves some.
    if (how === '--require') {
      it(`${how}: leaves no promise and no microtask for the program's hooks to see`, () => {
        assert.deepEqual(report().ran, []);
      });
    }
  }
});
