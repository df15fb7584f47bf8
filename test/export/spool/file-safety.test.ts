import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { setLogLevel } from '../../../src/base/log.ts';
import { DeliverySpanProcessor } from '../../../src/export/delivery.ts';
import type { DeliveryOptions } from '../../../src/export/options.ts';
import { createFile, requireSafeFolder } from '../../../src/export/spool/file-safety.ts';
import { imbalance } from '../../../src/export/stats.ts';
import { startReceiver, type OtlpReceiver } from '../../support/otlp-receiver.ts';
import { captureStderr } from '../support/stderr.ts';
import { endSpans } from '../support/spans.ts';
import { skipSuite } from '../../support/services.ts';

const isRoot = process.getuid?.() === 0;

describe('spool safety', function () {
  this.timeout(120_000);
  let root: string;
  let spool: string;
  let receiver: OtlpReceiver;
  let lines: ReturnType<typeof captureStderr>;
  const deliveries: DeliverySpanProcessor[] = [];

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'clew-safety-'));
    spool = join(root, 'spool');
    receiver = await startReceiver();
    lines = captureStderr();
    setLogLevel('info');
  });
  afterEach(async () => {
    for (const delivery of deliveries.splice(0)) {
      await delivery.shutdown();
      assert.equal(imbalance(delivery.stats()), 0);
    }
    lines.stop();
    setLogLevel('none');
    await receiver.close();
    rmSync(root, { recursive: true });
  });

  function start(options: DeliveryOptions = {}): DeliverySpanProcessor {
    const url = `${receiver.url}/v1/traces`;
    const delivery = new DeliverySpanProcessor({ url, spool, flushFailingMillis: 100, ...options });
    deliveries.push(delivery);
    return delivery;
  }

  /** Leaves a segment of ten spans behind, as a process that died; returns its path. */
  async function leaveSegment(): Promise<string> {
    const delivery = start({ url: 'http://127.0.0.1:9/v1/traces' });
    endSpans(delivery, 10);
    await delivery.shutdown();
    const folder = delivery.spoolFolder as string;
    // A process of this number never runs: it is above every system's limit.
    const abandoned = folder.replace(/_\d+_\d+_(\d+_\d+)$/, '_999999999_1_$1');
    mkdirSync(abandoned, { mode: 0o700 });
    const [name] = readdirSync(folder).filter((file) => file.endsWith('.spool'));
    copyFileSync(join(folder, name as string), join(abandoned, name as string));
    rmSync(folder, { recursive: true });
    return join(abandoned, name as string);
  }

  async function refuses(pattern: RegExp): Promise<void> {
    const delivery = start();
    assert.equal(delivery.spoolFolder, undefined);
    assert.match(lines.text(), pattern);
    endSpans(delivery, 5);
    await receiver.waitForSpans(5);
  }

  it('refuses a folder that others may enter, reports how to mend it, and delivers without', async () => {
    mkdirSync(spool);
    chmodSync(spool, 0o777);
    await refuses(/open to other users \(mode 0777\); run: chmod go= /);
  });

  it('refuses a symbolic link', async () => {
    mkdirSync(join(root, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(root, 'elsewhere'), spool);
    await refuses(/is a symbolic link/);
    assert.deepEqual(readdirSync(join(root, 'elsewhere')), []);
  });

  it('refuses a folder of another user', async function () {
    if (!isRoot) skipSuite(this, 'a spool of another user: only root can make one');
    mkdirSync(spool, { mode: 0o700 });
    chownSync(spool, 65534, 65534);
    await refuses(/belongs to another user/);
  });

  it('refuses a file in the folder’s place, and a relative path', async () => {
    writeFileSync(spool, '');
    await refuses(/is not a folder/);
    assert.throws(() => requireSafeFolder('spool'), /is not an absolute path/);
  });

  it('never opens a file that is there, nor follows a link', () => {
    mkdirSync(spool, { mode: 0o700 });
    writeFileSync(join(spool, 'there'), 'mine');
    symlinkSync(join(root, 'target'), join(spool, 'link'));
    assert.throws(() => createFile(join(spool, 'there')), { code: 'EEXIST' });
    assert.throws(() => createFile(join(spool, 'link')), { code: 'EEXIST' });
    assert.equal(existsSync(join(root, 'target')), false);
  });

  it('adopts what a dead process left, and leaves a living one’s alone', async () => {
    const path = await leaveSegment();
    const living = join(path, '..').replace('_999999999_1_', `_${process.pid}_0_`);
    mkdirSync(living, { mode: 0o700 });
    copyFileSync(path, join(living, '00000001.spool'));
    await start().forceFlush();
    assert.equal(receiver.spans.length, 10);
    assert.deepEqual(readdirSync(living), ['00000001.spool']);
  });

  const DAMAGES: [title: string, damage: (path: string) => void, whole: number, line: RegExp][] = [
    [
      'delivers what is whole before a truncated record',
      (path) => truncateSync(path, readFileSync(path).length - 7),
      9,
      /ends within a record.*9 spans before it can be read/,
    ],
    [
      'delivers what is whole around a corrupted record',
      (path) => {
        const bytes = readFileSync(path);
        bytes.writeUInt8(0xff, Math.floor(bytes.length / 2));
        writeFileSync(path, bytes);
      },
      9,
      /is damaged in one place: .* 9 spans can be read/,
    ],
    [
      'finds the next record behind one whose length is corrupted',
      (path) => {
        const bytes = readFileSync(path);
        const third = nthRecord(bytes, 3);
        bytes.writeUInt32LE(0x7fffffff, third + 4);
        writeFileSync(path, bytes);
      },
      9,
      /is damaged in one place/,
    ],
    [
      'refuses a file that is none of ours',
      (path) => writeFileSync(path, 'something else altogether'),
      0,
      /Refused .*does not begin like a spool file/,
    ],
    [
      'refuses a file that is larger than one may be',
      (path) => truncateSync(path, 17 * 1024 * 1024),
      0,
      /Refused .*is too large for a spool file/,
    ],
    [
      'refuses a file that others may read',
      (path) => chmodSync(path, 0o644),
      0,
      /Refused .*open to other users \(mode 0644\)/,
    ],
    [
      'refuses a file with a second name',
      (path) => linkSync(path, `${path}.link`),
      0,
      /Refused .*has a second name/,
    ],
    [
      'refuses a link in a file’s place',
      (path) => {
        copyFileSync(path, join(path, '..', '..', '..', 'elsewhere'));
        rmSync(path);
        symlinkSync(join(path, '..', '..', '..', 'elsewhere'), path);
      },
      0,
      /Cannot read .*(ELOOP|too many)/,
    ],
  ];
  for (const [title, damage, whole, line] of DAMAGES) {
    it(title, async () => {
      damage(await leaveSegment());
      const delivery = start();
      endSpans(delivery, 1);
      await delivery.forceFlush();
      assert.equal(receiver.spans.length, whole + 1);
      const { adopted, droppedBy } = delivery.stats();
      assert.equal(adopted - droppedBy.unreadable, whole);
      assert.equal(droppedBy.unreadable, whole === 9 ? 1 : 0);
      assert.equal(imbalance(delivery.stats()), 0);
      assert.match(lines.text(), line);
    });
  }

  it('refuses an abandoned folder that others may enter', async () => {
    const path = await leaveSegment();
    chmodSync(join(path, '..'), 0o755);
    await start().forceFlush();
    assert.equal(receiver.spans.length, 0);
    assert.ok(existsSync(path));
    await receiver.waitUntil(() => /Refused .*mode 0755/.test(lines.text()));
  });

  it('deletes what is older than its age cap, and counts it', async () => {
    const path = await leaveSegment();
    const old = new Date(Date.now() - 3 * 24 * 3600 * 1000);
    utimesSync(path, old, old);
    const delivery = start();
    endSpans(delivery, 1);
    await delivery.forceFlush();
    assert.equal(delivery.stats().droppedBy.expired, 10);
    assert.equal(imbalance(delivery.stats()), 0);
    assert.equal(existsSync(path), false);
  });
});

/** The start of the record number `n`, from 0; the first says where spans come from. */
function nthRecord(bytes: Buffer, n: number): number {
  let position = 8;
  for (let i = 0; i < n; i++) position += 12 + bytes.readUInt32LE(position + 4);
  return position;
}
