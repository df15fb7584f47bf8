import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isMainFile } from '../../src/instrumentation/imports/package-main.ts';

describe('isMainFile', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'clew-main-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function packageWith(manifest: unknown): string {
    const at = mkdtempSync(join(folder, 'package-'));
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'package.json'), JSON.stringify(manifest));
    return at;
  }

  // math-intrinsics, which express needs, has `false`.
  for (const main of [false, null, 7, '', {}, ['index.js']]) {
    it(`takes the index of a package whose main is ${JSON.stringify(main)}, as Node does`, () => {
      const at = packageWith({ main });
      assert.ok(isMainFile(at, 'index.js'));
      assert.ok(!isMainFile(at, 'abs.js'));
    });
  }

  it('knows the file that main names, and those of the entry of exports', () => {
    const at = packageWith({
      main: './lib',
      exports: { '.': { import: './esm.mjs', default: null } },
    });
    assert.ok(isMainFile(at, 'lib/index.js'));
    assert.ok(isMainFile(at, 'esm.mjs'));
    assert.ok(!isMainFile(at, 'index.js'));
  });

  for (const manifest of [null, [], 7, 'text']) {
    it(`takes the index where the manifest is ${JSON.stringify(manifest)}`, () => {
      assert.ok(isMainFile(packageWith(manifest), 'index.js'));
    });
  }
});
