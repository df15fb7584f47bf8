import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { folderWith, run } from './support.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What `clew/register` needs, beside Node. */
const NEEDED = ['@opentelemetry/api', 'jsonc-parser'];
const IMPORT_HOOKS = ['import-in-the-middle', 'cjs-module-lexer', 'es-module-lexer'];

describe('clew/register where something is missing or broken', function () {
  this.timeout(120_000);
  let folder: string;
  let remove: () => void;

  beforeEach(() => {
    ({ folder, remove } = folderWith({ 'app.cjs': 'console.log("ran");\n' }));
    const clew = join(folder, 'node_modules', 'clew');
    mkdirSync(clew, { recursive: true });
    cpSync(join(ROOT, 'build', 'package'), join(clew, 'build', 'package'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(clew, 'package.json'));
  });
  afterEach(() => remove());

  const install = (names: readonly string[]): void => {
    for (const name of names) {
      const link = join(folder, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link);
    }
  };
  const expectLine = (pattern: RegExp): void => {
    for (const flag of ['--import', '--require']) {
      const { stdout, stderr, code } = run([flag, 'clew/register', 'app.cjs'], { cwd: folder });
      assert.equal(stdout, 'ran\n', stderr);
      assert.equal(code, 0);
      assert.match(stderr, pattern);
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    }
  };

  it('no package at all: runs without tracing', () => {
    expectLine(/^clew: could not be started: .*api.* The application runs without tracing\.$/m);
  });

  it('the import hooks: runs without these', () => {
    install(NEEDED);
    expectLine(/^clew: modules loaded by `import` cannot be instrumented: /);
  });

  it('a file of its own that is broken', () => {
    install([...NEEDED, ...IMPORT_HOOKS]);
    const file = join(folder, 'node_modules', 'clew', 'build', 'package', 'start.js');
    rmSync(file);
    writeFileSync(file, 'this is no module');
    expectLine(/^clew: could not be started: .* The application runs without tracing\.$/m);
  });
});
