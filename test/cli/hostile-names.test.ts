import assert from 'node:assert/strict';

import { summaryLines } from '../../src/cli/run-summary.ts';
import { describeFinding } from '../../src/cli/view/findings.ts';
import { renderRequests } from '../../src/cli/view/one-line.ts';
import { spanText } from '../../src/cli/view/span-text.ts';
import { reportText } from '../../src/diagnosis/report-text.ts';
import { SCHEMA_ID } from '../../src/diagnosis/schema.ts';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { BARE_SURROUNDINGS } from '../../src/diagnosis/surroundings.ts';
import { readOtlp } from '../../src/viewer/otlp.ts';
import { renderTrace } from '../../src/viewer/trace-tree.ts';
import { Viewer } from '../../src/viewer/viewer.ts';
import { observation, run } from '../diagnosis/support.ts';
import { otlp, traceId } from '../viewer/support/spans.ts';

// A line break, one of a terminal, colours, a title, and marks that turn the direction of writing.
const PARTS = ['a\nb', 'c\r\nd', 'e\rf', '\u001b[31mg\u001b[0m', '\u001b]0;t\u0007h', '\u202ei'];
const NAME = `GET /${PARTS.join('')}\u2028j\u009b2Jk\u061cl\u0000`;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u202a-\u202e]/u;

describe('a name with line breaks and control characters is one line', () => {
  const viewer = new Viewer({
    source: { kind: 'live', name: '' },
    version: '1',
    describeFinding,
  });
  const long = { 'clew.blocked_by': NAME, 'clew.blocked_by.ms': 2 };
  const parts = { 'clew.run.ms': 1, 'clew.wait.io.ms': 1, 'clew.wait.loop.ms': 2 };
  const link = { trace: 'f1', span: '9', attributes: { 'clew.link': NAME } };
  viewer.add(
    readOtlp(
      otlp(
        {
          id: '1',
          name: NAME,
          service: NAME,
          kind: 2,
          end: 9,
          failed: 'why',
          attributes: { [NAME]: 'first line\nsecond line', ...long, ...parts },
          events: [{ name: NAME, attributes: { [NAME]: 1 } }],
          links: [link],
        },
        { id: '2', parent: '1', name: NAME, start: 2, end: 8 },
      ),
    ),
  );
  const view = viewer.trace(traceId('f0'));
  assert.ok(view);

  const check = (lines: readonly string[], expected: number): void => {
    for (const line of lines) assert.doesNotMatch(line, CONTROL, JSON.stringify(line));
    assert.equal(lines.length, expected, lines.join('\n'));
    assert.ok(lines.some((line) => line.includes('a b')));
  };

  it('in the list of clew show', () => {
    check(renderRequests(viewer.requests(new URLSearchParams()), 160), 1);
  });

  it('in the tree of a trace', () => {
    const trace = viewer.store.get(traceId('f0'));
    assert.ok(trace);
    // The reason and the link of the first span are lines of their own.
    check(renderTrace(trace, { width: 160, color: false, bars: true }), 4);
  });

  it('in what clew show --span prints, where a value keeps its lines', () => {
    const [span] = view.spans;
    assert.ok(span);
    const lines = spanText(span, 200);
    for (const line of lines) assert.doesNotMatch(line, CONTROL, JSON.stringify(line));
    const at = lines.findIndex((line) => line.endsWith(' = first line'));
    assert.equal(lines[at + 1], '    second line');
    assert.equal(lines.filter((line) => line.includes('a b')).length, 6, lines.join('\n'));
    // The name, the id, the time, the status, parts, who held the loop.
    assert.match(lines[3] ?? '', /^ {2}status/);
  });

  it('in the summary of clew run', () => {
    const totals = { count: 1, totalMs: 1, maxMs: 1, parts: { runningMs: 1, ioMs: 0, loopMs: 0 } };
    const names = [{ name: NAME, ...totals }];
    const ended = { endedProcess: [{ name: NAME }] };
    const all = { requests: 1, names, otherRequests: 0, slowest: [], ...ended };
    check(summaryLines(all, 1, 160), 4);
  });

  it('in the report of clew doctor', () => {
    const given = run({ observations: [observation({ owners: { [NAME]: 1 } })] });
    const { requests, routes, spans, millis, dropped } = given;
    const findings = diagnose(given, { ...BARE_SURROUNDINGS, sourceLine: () => `f(\r${NAME})` });
    const text = reportText(
      { $schema: SCHEMA_ID, version: 1, requests, routes, spans, millis, findings, dropped },
      { width: 160 },
    );
    const lines = text.trimEnd().split('\n');
    for (const line of lines) assert.doesNotMatch(line, CONTROL, JSON.stringify(line));
    assert.match(text, /^ {3}belongs to +GET \/a bc de f/m);
    assert.match(text, /^ {3}your code .* f\( GET/m);
  });
});
