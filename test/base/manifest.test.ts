import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readManifest, UNREADABLE } from '../../src/base/manifest.ts';

describe('readManifest', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-manifest-'));
    file = join(folder, 'package.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function read(content: string): ReturnType<typeof readManifest> {
    writeFileSync(file, content);
    return readManifest(folder);
  }

  it('reads the texts, the names of dependencies, and the entries as they are', () => {
    const exports = { '.': null };
    const all = { name: 'a', version: '1.0.0', dependencies: { b: '*' }, main: false, exports };
    assert.deepEqual(read(JSON.stringify(all)), { ...all, dependencies: ['b'] });
  });

  it('skips a byte-order mark', () => {
    assert.equal(read('\uFEFF{ "name": "a" }')?.name, 'a');
  });

  for (const odd of [5, true, null, ['a'], { a: 'b' }, '', ' ']) {
    it(`leaves out a name and a version that are ${JSON.stringify(odd)}`, () => {
      const { name, version } = read(JSON.stringify({ name: odd, version: odd })) ?? {};
      assert.deepEqual([name, version], [undefined, undefined]);
    });
  }

  for (const odd of [5, true, null, ['a'], 'a']) {
    it(`finds no dependencies in ${JSON.stringify(odd)}`, () => {
      assert.deepEqual(read(JSON.stringify({ dependencies: odd }))?.dependencies, []);
    });
  }

  for (const content of ['', ' ', '{', 'null', '5', '"a"', '[{"name":"a"}]', '{"name":"a"}}']) {
    it(`cannot read ${JSON.stringify(content)}`, () => {
      assert.equal(read(content), UNREADABLE);
    });
  }

  it('finds none in a folder without, below a file, and where the name is a folder', () => {
    assert.equal(readManifest(folder), undefined);
    mkdirSync(file);
    assert.equal(readManifest(folder), undefined);
    writeFileSync(join(folder, 'file'), '');
    assert.equal(readManifest(join(folder, 'file')), undefined);
  });

  it('cannot read a link to itself, a pipe or a device, and waits for none of them', () => {
    symlinkSync('package.json', file);
    assert.equal(readManifest(folder), UNREADABLE);
    rmSync(file);
    symlinkSync('/dev/zero', file);
    assert.equal(readManifest(folder), UNREADABLE);
    rmSync(file);
    execFileSync('mkfifo', [file]);
    assert.equal(readManifest(folder), UNREADABLE);
  });
});
