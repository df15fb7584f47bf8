import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { guardImports, type SyncWrapper } from '../../src/instrumentation/imports/import-guard.ts';
import { MODULES } from '../support/modules.ts';
import { folderWith, PRELOADS, run } from './support.ts';

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
  this.timeout(120_000);

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

  describe('give a wanted package to import-in-the-middle, however it is named', () => {
    const modules = pathToFileURL(MODULES).href;
    const wrapped = { url: 'file:///wrapped?iitm=true', format: 'module' };
    const wrapper = { resolve: () => wrapped, load: () => assert.fail() } as unknown as SyncWrapper;

    /** Whether the module at `file` is wrapped where its package is wanted. */
    function isWrapped(name: string, file: string, specifier: string): boolean {
      const hooks = guardImports<SyncWrapperResolve, SyncWrapperLoad>(
        new Set([name]),
        () => wrapper,
      );
      const context = { conditions: ['import'], parentURL: 'file:///app/main.mjs' };
      const result = { url: `${modules}${file}`, format: undefined };
      return hooks.resolve(specifier, context as never, () => result) === wrapped;
    }

    for (const [name, file] of [
      ['pino', 'pino/pino.js'],
      ['ioredis', 'ioredis/built/index.js'],
      // Other files for `import` and for `require`.
      ['pg', 'pg/esm/index.mjs'],
      ['pg', 'pg/lib/index.js'],
    ] as const) {
      it(`${file}: by its name, its URL and an alias`, () => {
        for (const specifier of [name, `${modules}${file}`, '#alias']) {
          assert.equal(isWrapped(name, file, specifier), true, specifier);
        }
      });
    }

    it('but for its other files, files that import each other, and other packages', () => {
      assert.equal(isWrapped('pg', 'pg/lib/client.js', `${modules}pg/lib/client.js`), false);
      assert.equal(isWrapped('pg', 'pg/lib/index.js', '../lib/index.js'), false);
      assert.equal(isWrapped('pg', 'pino/pino.js', `${modules}pino/pino.js`), false);
    });
  });
});

type SyncWrapperResolve = ReturnType<SyncWrapper['resolve']>;
type SyncWrapperLoad = ReturnType<SyncWrapper['load']>;
