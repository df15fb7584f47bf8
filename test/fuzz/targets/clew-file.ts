import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { addFile } from '../../../src/cli/view/read-file.ts';
import { CONVERSIONS } from '../../../src/tracer/recording/convert.ts';
import { readRecording } from '../../../src/tracer/recording/read.ts';
import { damagedBytes, damagedJson } from '../damage.ts';
import { scratchFile } from '../scratch.ts';
import { parsed, type Target } from '../target.ts';
import { assertViewable, newViewer } from '../viewed.ts';

const OWNER = { label: 2, traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), endedAt: 20 };
const LINES: readonly unknown[] = [
  [
    'clew',
    1,
    {
      node: 'v24.0.0',
      pid: 1,
      timeOrigin: 1.7e12,
      program: 'a.js',
      startedAt: 1.7e12,
      level: 'deep',
    },
  ],
  ['s', 'TCPWRAP'],
  ['s', 'at load (a.js:1:2)\nat run (a.js:3:4)'],
  ['s', 'GET /orders'],
  [
    'g',
    { root: [1, 0, -1], at: [0, 30_000], by: 'end', dropped: 0, owner: OWNER },
    [
      [1, 0, 1, 1, 5, 3, -1, 1, -1, 0, 400, 500, 10, 20, 5, 900],
      [1, 0, 1, 1, 700, 9, 2, -1, -1, 0, 20, 4000, 30, 60],
      [4, 0, 5, 2, 90, 16, -1, -1, -1, 2],
    ],
  ],
  ['g', { root: [90, 0, -1], at: [100, 200], by: 'idle', dropped: 1 }, []],
  ['end', { endedAt: 1.7e12, requests: 1, groups: 2, records: 3, dropped: 0, groupsDropped: 0 }],
];

const textOf = (lines: readonly unknown[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** The lines of a recording, damaged as JSON and then packed; or packed, and then damaged. */
const input = fc.oneof(
  damagedJson([LINES]).map((json) => {
    let lines: unknown;
    try {
      lines = JSON.parse(json);
    } catch {
      return gzipSync(json);
    }
    return gzipSync(textOf(Array.isArray(lines) ? lines : [lines]));
  }),
  damagedBytes([gzipSync(textOf(LINES))]),
  damagedBytes([Buffer.from(textOf(LINES))]).map((bytes) => gzipSync(bytes)),
);

/** `.clew` recordings: into each format, and into the viewer. */
export const clewFile: Target<Buffer> = {
  input,
  check(bytes) {
    const file = scratchFile('fuzz.clew');
    writeFileSync(file, bytes);
    const recording = parsed(() => readRecording(file));
    if (recording) {
      for (const [format, convert] of Object.entries(CONVERSIONS)) {
        const text = convert(recording);
        if (format !== 'dot') JSON.parse(text);
      }
    }
    const viewer = newViewer();
    parsed(() => addFile(viewer, file));
    assertViewable(viewer);
  },
};
