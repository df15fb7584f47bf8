import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  asker,
  readSettled,
  segmentOfSettled,
  DeliveredRanges,
} from '../../../src/export/spool/delivered-ranges.ts';

describe('DeliveredRanges', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-settled-'));
    path = join(folder, '00000001.spool');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function read(refused: string[] = []): ReturnType<typeof readSettled> {
    return readSettled(path, 1e6, (error) => refused.push((error as Error).message));
  }

  it('remembers stretches over several processes, joined and in order', () => {
    const first = new DeliveredRanges(path, 0);
    first.add(100, 50);
    first.add(8, 42);
    first.close();
    const second = new DeliveredRanges(path, read().count);
    second.add(50, 50);
    second.add(500, 1);
    second.close();
    assert.deepEqual(read(), {
      settled: [
        [8, 150],
        [500, 501],
      ],
      count: 2,
    });
    assert.equal(statSync(join(folder, '00000001.0.done')).mode & 0o777, 0o600);
  });

  it('leaves out a record that is damaged or cut short, and believes the others', () => {
    const files = new DeliveredRanges(path, 0);
    for (const offset of [100, 200, 300]) files.add(offset, 10);
    files.close();
    const done = join(folder, '00000001.0.done');
    const bytes = readFileSync(done);
    bytes.writeUInt8(0xff, 14);
    writeFileSync(done, bytes);
    appendFileSync(done, 'cut');
    assert.deepEqual(read().settled, [
      [100, 110],
      [300, 310],
    ]);
  });

  it('refuses a link in a file’s place, and goes on behind it', () => {
    symlinkSync('/etc/hostname', join(folder, '00000001.0.done'));
    const refused: string[] = [];
    assert.deepEqual(read(refused), { settled: [], count: 1 });
    assert.match(refused.join(), /ELOOP/);
    const files = new DeliveredRanges(path, 1);
    files.add(1, 1);
    files.close();
    assert.deepEqual(read([]).settled, [[1, 2]]);
  });

  it('fails once where nothing can be written, and is silent from then on', () => {
    const files = new DeliveredRanges(join(folder, 'missing', '00000001.spool'), 0);
    assert.throws(() => files.add(1, 1), { code: 'ENOENT' });
    files.add(2, 1);
  });

  it('deletes what it wrote, and what was there', () => {
    const files = new DeliveredRanges(path, 0);
    files.add(1, 1);
    files.close();
    const next = new DeliveredRanges(path, 1);
    next.add(3, 1);
    next.remove();
    assert.deepEqual(readdirSync(folder), []);
  });

  it('answers for growing positions', () => {
    const isSettled = asker([
      [8, 20],
      [30, 40],
    ]);
    const answers = [7, 8, 19, 20, 29, 30, 39, 40].map(isSettled);
    assert.deepEqual(answers, [false, true, true, false, false, true, true, false]);
  });

  it('recognises its files by their names', () => {
    assert.equal(segmentOfSettled('00000012.3.done'), '00000012');
    assert.equal(segmentOfSettled('00000012.spool'), undefined);
  });
});
