import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { guardImports, type SyncWrapper } from '../../src/instrumentation/imports/import-guard.ts';
import { folderWith, PRELOADS, run } from './support.ts';

const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

const FILES = {
  'package.json': '{ "private": true }',
  'register-hook.mjs': `import { register } from 'node:module';
    register('./hook.mjs', import.meta.url);\n`,
  // As a compiler's: it gives the source of CommonJS modules, which Node then runs another way.
  'hook.mjs': `import { readFile } from 'node:fs/promises';
    export async function load(url, context, next) {
      const loaded = await next(url, context);
      if (loaded.format !== 'commonjs' || loaded.source != null || !url.startsWith('file:')) {
        return loaded;
      }
      return { ...loaded, source: await readFile(new URL(url), 'utf8'), shortCircuit: true };
    }\n`,
  'app.mjs': `import pg from 'pg';
    import './required.cjs';
    console.log(typeof pg.Pool);\n`,
  'required.cjs': `const pg = require('pg');
    const { isBuiltin } = require('node:module');
    if (isBuiltin('node:sqlite')) require('node:sqlite');
    if (require('pg') !== pg) throw new Error('two of them');\n`,
};

describe('Import hooks', function () {
  this.timeout(60_000);

  describe('beside the load hook of another tool that gives CommonJS sources', () => {
    let folder: string;
    let remove: () => void;

    before(() => {
      ({ folder, remove } = folderWith(FILES));
      symlinkSync(MODULES, join(folder, 'node_modules'));
    });
    after(() => remove());

    const hook = ['--import', './register-hook.mjs'];
    for (const [how, flags] of Object.entries(PRELOADS)) {
      for (const [order, args] of [
        ['before', [...hook, ...flags]],
        ['after', [...flags, ...hook]],
      ] as const) {
        it(`start the application: theirs ${order} ${how} clew/register`, () => {
          const { stdout, stderr, code } = run(['--no-warnings', ...args, 'app.mjs'], {
            cwd: folder,
          });
          assert.equal(stdout, 'function\n', stderr);
          assert.equal(stderr, '');
          assert.equal(code, 0);
        });
      }
    }
  });

  describe('return what the next hook returned', () => {
    const result = { url: 'file:///app/node_modules/pg/lib/index.js', format: 'anything' };
    const loaded = { format: 'anything', source: 'anything' };
    const never = (): never => assert.fail('import-in-the-middle was asked');
    const hooks = guardImports<SyncWrapperResolve, SyncWrapperLoad>(new Set(['pg']), never);
    const resolve = (specifier: string, context: object): unknown =>
      hooks.resolve(specifier, context as never, () => result as never);

    it('for an entry, whatever its name', () => {
      assert.equal(resolve('file:///app/entry', { conditions: ['import'] }), result);
      assert.equal(resolve('pg', { conditions: ['import'], parentURL: undefined }), result);
      assert.equal(resolve('pg', { conditions: ['import'], parentURL: '' }), result);
    });

    it('for what is required', () => {
      const context = { conditions: ['node', 'require'], parentURL: 'file:///app/main.cjs' };
      assert.equal(resolve('pg', context), result);
    });

    it('for what a wrapper imports, whichever tool made the wrapper', () => {
      const context = { conditions: ['import'], parentURL: `${result.url}?iitm=true` };
      assert.equal(resolve('pg', context), result);
      const wrapper = `${result.url}?iitm=true`;
      assert.equal(
        hooks.load(wrapper, {} as never, () => loaded as never),
        loaded,
      );
    });

    it('for a module that is not wanted, and for every source', () => {
      const context = { conditions: ['import'], parentURL: 'file:///app/main.mjs' };
      const other = { url: 'file:///app/node_modules/other/index.js', format: undefined };
      assert.equal(
        hooks.resolve('other', context as never, () => other as never),
        other,
      );
      assert.equal(
        hooks.load(other.url, {} as never, () => loaded as never),
        loaded,
      );
    });
  });
});

type SyncWrapperResolve = ReturnType<SyncWrapper['resolve']>;
type SyncWrapperLoad = ReturnType<SyncWrapper['load']>;
