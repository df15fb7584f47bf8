import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { ClewError } from '../../../src/base/errors.ts';
import { CONVERSIONS } from '../../../src/tracer/recording/convert.ts';
import { readRecording } from '../../../src/tracer/recording/read.ts';

const HEADER = { node: 'v20', pid: 1, timeOrigin: 1e12, program: 'a', startedAt: 1, level: 'deep' };
const HEAD = { root: [1, 0, -1], at: [0, 1000], by: 'end', dropped: 0 };
const ROW = [1, 0, 1, 1, 5, 0, -1, -1, -1, 0, 1, 2];
const GOOD = [
  ['clew', 1, HEADER],
  ['s', 'TCPWRAP'],
  ['g', HEAD, [ROW, ROW, ROW]],
  ['end', {}],
];

describe('a recording that is broken or hostile', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-hostile-'));
    file = join(folder, 'x.clew');
  });
  after(() => rmSync(folder, { recursive: true }));

  const pack = (lines: unknown[]): Buffer =>
    gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

  /** Converts into every format; undefined where all is well, else the error's message. */
  function convert(bytes: Buffer): string | undefined {
    writeFileSync(file, bytes);
    try {
      for (const conversion of Object.values(CONVERSIONS)) conversion(readRecording(file));
      return undefined;
    } catch (error) {
      assert.ok(error instanceof ClewError, String((error as Error).stack));
      return error.message;
    }
  }

  it('is read where it is whole', () => {
    assert.equal(convert(pack(GOOD)), undefined);
  });

  it('is a clear error, or is read, whatever bytes are damaged or missing', () => {
    const whole = pack(GOOD);
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255), cut: fc.boolean() });
    fc.assert(
      fc.property(change, ({ at, to, cut }) => {
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(to, at);
        convert(cut ? bytes.subarray(0, at) : bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('is a clear error, or is read, whatever its lines hold', () => {
    const anything = fc.anything({ maxDepth: 2 });
    const row = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.maxSafeInteger()), {
      minLength: 10,
      maxLength: 16,
    });
    const group = fc.tuple(fc.constant('g'), fc.constant(HEAD), fc.array(row, { maxLength: 20 }));
    const other = fc.tuple(fc.constantFrom('clew', 's', 'g', 'end', 'x'), anything, anything);
    fc.assert(
      fc.property(fc.array(fc.oneof(group, other), { maxLength: 5 }), (lines) => {
        const text = JSON.stringify(lines, (_key, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        );
        convert(pack([...GOOD.slice(0, 2), ...(JSON.parse(text) as unknown[])]));
      }),
      { numRuns: 200 },
    );
  });

  it('is converted with a group of any size, each record triggered by the one before', function () {
    this.timeout(120_000);
    const rows = Array.from({ length: 150_000 }, () => ROW);
    assert.equal(convert(pack([...GOOD.slice(0, 2), ['g', HEAD, rows]])), undefined);
  });

  it('is refused by what it is', () => {
    assert.match(convert(Buffer.from('hello')) ?? '', /not a \.clew recording/);
    assert.match(convert(Buffer.alloc(0)) ?? '', /not a \.clew recording/);
    assert.match(convert(pack([['s', 'x']])) ?? '', /first line is missing/);
    assert.match(convert(pack([['clew', 1, null]])) ?? '', /line 1 is not a header/);
    assert.match(convert(pack([GOOD[0], ['g', {}, []]])) ?? '', /line 2 is not a group/);
    const damaged = gzipSync(`${JSON.stringify(GOOD[0])}\nnot json\n["end",{}]\n`);
    assert.match(convert(damaged) ?? '', /line 2 is damaged/);
    assert.throws(() => readRecording(folder), /is not a file|EISDIR/);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    assert.throws(() => readRecording(join(folder, 'pipe')), /is not a file/);
  });

  it('is refused where it unpacks to more than fits', () => {
    const zeros = gzipSync(Buffer.alloc(65 * 1024 * 1024));
    assert.match(convert(zeros) ?? '', /one of its lines is too long/);
  });
});
