import { writeFileSync } from 'node:fs';

import fc from 'fast-check';

import { addFile } from '../../../src/cli/view/read-file.ts';
import { readOtlp } from '../../../src/viewer/otlp.ts';
import { jaegerOf } from '../../../src/viewer/jaeger/api.ts';
import { TraceStore } from '../../../src/viewer/store.ts';
import { damagedJson } from '../damage.ts';
import { OTLP_REQUESTS } from '../samples.ts';
import { scratchFile } from '../scratch.ts';
import { parsed, type Target } from '../target.ts';
import { assertViewable, newViewer } from '../viewed.ts';

const PLACE = { file: '/app/a.js', line: 3, column: 1, function: 'load', code: 'pool.take()' };
const REPORT = {
  version: 1,
  findings: [
    {
      name: 'CLEW-LOST-QUEUE',
      kind: 'lost',
      summary: 'a queue loses the context',
      certainty: 'certain',
      count: 2,
      owner: { label: 'GET /orders', traceId: 'ab'.repeat(16) },
      yourLine: PLACE,
      handOver: { ...PLACE, package: 'my-pool' },
      fix: {
        change: { text: '- a\n+ b' },
        command: 'npm i x',
        rules: [{ module: 'my-pool', path: 'Pool#take', rule: 'args' }],
      },
      docs: 'docs/findings.md',
    },
  ],
};

const jaeger = OTLP_REQUESTS.map((request) => {
  const store = new TraceStore();
  store.add(readOtlp(request));
  return { data: [...store.traces].map(jaegerOf) };
});

/** Files that `clew view` reads besides recordings: Jaeger's JSON, reports, lines of OTLP/JSON. */
export const viewerFile: Target<string> = {
  input: fc.oneof(
    damagedJson(jaeger),
    damagedJson([REPORT]),
    fc
      .array(damagedJson(OTLP_REQUESTS), { minLength: 1, maxLength: 3 })
      .map((each) => each.join('\n')),
  ),
  check(text) {
    const file = scratchFile('fuzz.json');
    writeFileSync(file, text);
    const viewer = newViewer();
    parsed(() => addFile(viewer, file));
    assertViewable(viewer);
  },
};
