import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeFolder } from '../../src/base/make-folder.ts';

describe('makeFolder', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'clew-make-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes a folder with what is missing above it, and takes one that is there', () => {
    const path = join(folder, 'a', 'b', 'c');
    makeFolder(path, 0o700);
    makeFolder(path, 0o700);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o700);
    symlinkSync(path, join(folder, 'link'));
    makeFolder(join(folder, 'link'), 0o700);
  });

  it('throws where a file, or a link to nothing, is in the way', () => {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(join(folder, 'nothing'), join(folder, 'dangling'));
    assert.throws(() => makeFolder(join(folder, 'file'), 0o700), { code: 'EEXIST' });
    assert.throws(() => makeFolder(join(folder, 'file', 'x'), 0o700), { code: 'ENOTDIR' });
    assert.throws(() => makeFolder(join(folder, 'dangling'), 0o700), { code: 'EEXIST' });
    assert.throws(() => makeFolder(join(folder, 'dangling', 'x'), 0o700));
  });

  it('returns where the system refuses a folder with ENOENT', function () {
    if (process.platform !== 'linux') this.skip();
    assert.throws(() => makeFolder('/proc/nope/clew', 0o700), { code: 'ENOENT' });
  });

  it('keeps no application from starting whose spool lies there', function () {
    if (process.platform !== 'linux') this.skip();
    const register = new URL('../../src/register.js', import.meta.url).href;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--import', register, '-e', 'console.log("started")'],
      {
        env: { ...process.env, CLEW_SPOOL: '/proc/nope', OTEL_TRACES_EXPORTER: 'otlp' },
        encoding: 'utf8',
        timeout: 15_000,
        killSignal: 'SIGKILL',
      },
    );
    assert.deepEqual([stdout, status], ['started\n', 0], stderr);
    assert.match(stderr, /Not using the spool: \/proc\/nope cannot be created/);
  });
});
