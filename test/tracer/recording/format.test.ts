import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { FORMAT_VERSION, LineWriter, parseLines } from '../../../src/tracer/recording/format.ts';
import { readRecording } from '../../../src/tracer/recording/read.ts';
import type { AsyncTrace } from '../../../src/tracer/record.ts';

const header = {
  node: 'v20.0.0',
  pid: 7,
  timeOrigin: 1_700_000_000_000,
  program: 'app.js',
  startedAt: 10.5,
  level: 'deep',
};

const trace: AsyncTrace = {
  root: { asyncId: 12, type: 'HTTPINCOMINGMESSAGE', description: 'äöü "quoted"' },
  owner: { id: 3, label: 'GET /orders/{n}', startedAt: 20, endedAt: 60, marked: false },
  startedAt: 20,
  endedAt: 61.125,
  endedBy: 'idle',
  dropped: 2,
  records: [
    {
      asyncId: 13,
      type: 'PROMISE',
      triggerAsyncId: 12,
      executionAsyncId: 12,
      initAt: 20.25,
      slices: [30, 30.5, 40, 41],
      slicesDropped: 1,
      resolvedAt: 29.75,
      stack: ['load (src/a.js:1:2)', 'node:http:3:4'],
      bornBefore: false,
    },
    {
      asyncId: 5,
      type: 'TCPWRAP',
      triggerAsyncId: 0,
      executionAsyncId: 0,
      initAt: 19,
      slices: [50],
      slicesDropped: 0,
      destroyedAt: 61.125,
      description: '127.0.0.1:80',
      spanId: '00f067aa0ba902b7',
      bornBefore: true,
    },
  ],
};

const write = (traces: AsyncTrace[]): string => {
  const writer = new LineWriter();
  return writer.header(header) + traces.map((one) => writer.group(one)).join('');
};

describe('the .clew format', () => {
  let folder: string;
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'clew-format-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('gives back what was written, to the microsecond', () => {
    const recording = parseLines(write([trace, trace]).split('\n'));
    assert.deepEqual(recording, { version: FORMAT_VERSION, header, traces: [trace, trace] });
  });

  it('writes a text once', () => {
    const text = write([trace, trace, trace]);
    assert.equal(text.split('GET /orders').length, 2);
    assert.equal(text.split('src/a.js').length, 2);
  });

  it('reads a file that was cut short up to the cut', () => {
    const file = join(folder, 'cut.clew');
    const writer = new LineWriter();
    const first = gzipSync(writer.header(header) + writer.group(trace));
    const second = gzipSync(writer.group(trace));
    writeFileSync(file, Buffer.concat([first, second.subarray(0, second.length - 20)]));
    const recording = readRecording(file);
    assert.equal(recording.traces.length >= 1, true);
    assert.equal(recording.end, undefined);
  });

  it('leaves out lines of kinds it does not know', () => {
    assert.equal(parseLines(`${write([trace])}["later",{}]\n`.split('\n')).traces.length, 1);
  });

  it('refuses a later version and what is no recording, in one line', () => {
    assert.throws(() => parseLines(['["clew",2,{}]']), /version 2 is newer/);
    assert.throws(() => parseLines(['["s","x"]']), /not a \.clew recording/);
    const file = join(folder, 'plain.txt');
    writeFileSync(file, 'hello');
    assert.throws(() => readRecording(file), { code: 'ERR_OPTION' });
    assert.throws(() => readRecording(join(folder, 'missing')), { code: 'ERR_OPTION' });
    assert.equal(readFileSync(file, 'utf8'), 'hello');
  });
});
