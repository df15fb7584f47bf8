import assert from 'node:assert/strict';

import { goDuration, goTime, parseGoDuration } from '../../src/viewer/go-format.ts';
import { jaegerOf } from '../../src/viewer/jaeger/api.ts';
import { readOtlp } from '../../src/viewer/otlp.ts';
import { TraceStore, type Trace } from '../../src/viewer/store.ts';
import { JaegerQuery } from '../support/jaeger-query.ts';
import { requireService } from '../support/services.ts';
import { BROKEN_TRACES } from './support/broken-traces.ts';
import { otlp, traceId, type TestSpan } from './support/spans.ts';

interface Shown {
  spanID: string;
  operationName: string;
  references: { refType: string; traceID: string; spanID: string }[];
  startTime: number;
  duration: number;
  tags: { key: string; type: string; value: unknown }[];
  logs: { timestamp: number }[];
  warnings: string[] | null;
  processID: string;
}

const traceOf = (...spans: TestSpan[]): Trace => {
  const store = new TraceStore();
  store.add(readOtlp(otlp(...spans)));
  const [trace] = [...store.traces];
  assert.ok(trace);
  return trace;
};
const warningsOf = (...spans: TestSpan[]): Record<string, string[]> =>
  Object.fromEntries(
    traceOf(...spans)
      .adjusted.filter(({ warnings }) => warnings.length > 0)
      .map(({ span, warnings }) => [span.name, warnings]),
  );

describe('warnings of a trace', () => {
  it('are none where children fit, and where one host has one clock', () => {
    assert.deepEqual(warningsOf({ id: 'a' }, { id: 'b', parent: 'a', start: 1, end: 9 }), {});
    assert.deepEqual(warningsOf({ id: 'a' }, { id: 'b', parent: 'a', start: 8, end: 12 }), {});
  });

  it('report a child that sticks out of a parent on another host, or on none', () => {
    const delta = 'clock skew adjustment disabled; not applying calculated delta of -5ms';
    for (const host of ['two', undefined]) {
      const child = { id: 'b', parent: 'a', start: 8, end: 12, host };
      assert.deepEqual(warningsOf({ id: 'a', host: host && 'one' }, child), { b: [delta] });
    }
  });

  it('report missing parents, duplicate ids, and ends before the start', () => {
    const found = warningsOf(
      { id: 'a' },
      { id: 'b', parent: 'dead' },
      { id: 'a', name: 'again', start: 1 },
      { id: 'c', parent: 'a', start: 5, end: 3 },
    );
    assert.deepEqual(found['b'], [
      'invalid parent span IDs=000000000000dead; skipping clock skew adjustment',
    ]);
    assert.deepEqual(found['again'], ['duplicate span IDs; skipping clock skew adjustment']);
    assert.match(String(found['c']), /^Negative duration detected, sanitizing end timestamp\./);
  });
});

describe('times as Go prints them', () => {
  it('prints durations', () => {
    const cases: [bigint, string][] = [
      [0n, '0s'],
      [999n, '999ns'],
      [1000n, '1µs'],
      [1_500_000n, '1.5ms'],
      [-200_000_000n, '-200ms'],
      [60_250_000_000n, '1m0.25s'],
      [3_605_000_000_000n, '1h0m5s'],
    ];
    for (const [nanos, text] of cases) assert.equal(goDuration(nanos), text);
  });

  it('reads durations, and refuses others', () => {
    assert.equal(parseGoDuration('1.5ms'), 1_500_000n);
    assert.equal(parseGoDuration('1h2m'), 3_720_000_000_000n);
    for (const text of ['', '5', 'ms', '1.5 ms', '1xs', '-1s']) {
      assert.equal(parseGoDuration(text), undefined, text);
    }
  });

  it('prints times', () => {
    assert.equal(goTime(1_500_000_000n), '1970-01-01 00:00:01.5 +0000 UTC');
    assert.equal(goTime(0n), '1970-01-01 00:00:00 +0000 UTC');
  });
});

describe('broken traces, beside a real Jaeger', function () {
  this.timeout(120_000);
  let base: string;
  let jaeger: JaegerQuery;

  before(async function () {
    const url = new URL(await requireService(this, 'jaeger'));
    base = url.origin;
    jaeger = new JaegerQuery(base);
    const otlpUrl = `http://${url.hostname}:${url.searchParams.get('otlp') ?? '4318'}/v1/traces`;
    for (const { spans } of BROKEN_TRACES) {
      const response = await fetch(otlpUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(otlp(...spans)),
      });
      assert.equal(response.status, 200, await response.text());
    }
  });

  for (const { title, spans } of BROKEN_TRACES) {
    it(`shows the same spans, parents, tags and warnings: ${title}`, async () => {
      const ours = jaegerOf(traceOf(...spans)) as unknown as { spans: Shown[]; processes: object };
      const id = traceId(spans[0]?.trace ?? 'f0');
      await jaeger.waitForTrace(id, ours.spans.length);
      const answer = await fetch(`${base}/api/traces/${id}`);
      const { data } = (await answer.json()) as { data: { spans: Shown[]; processes: any }[] };
      const theirs = data[0];
      assert.ok(theirs);
      const negative = new Set(
        spans
          .filter(({ start = 0, end = start + 10 }) => end <= start)
          .map(({ id, name = id }) => name),
      );
      assert.deepEqual(
        comparable(ours.spans, ours.processes, negative),
        comparable(theirs.spans, theirs.processes, negative),
      );
    });
  }
});

/** Where its storage keeps the warnings of its sanitizers, which its page shows like the others. */
const STORED_WARNINGS = '@jaeger@warnings';

/**
 * Accidental in Jaeger are the order of spans and of equal ids, the numbers of processes, the order of
 * events, and whether a warning stands in the list or in a tag. Its storage in memory also shows the
 * warning of a negative duration on spans of later traces: only those in `negative` have one.
 */
function comparable(
  spans: readonly Shown[],
  processes: any,
  negative: ReadonlySet<string>,
): unknown[] {
  const warningsOfSpan = ({ operationName, warnings, tags }: Shown): string[] =>
    [
      ...(warnings ?? []),
      ...tags
        .filter(({ key }) => key === STORED_WARNINGS)
        .flatMap(({ value }) => JSON.parse(String(value)) as string[]),
    ].filter((warning) => !warning.startsWith('Negative') || negative.has(operationName));
  const ofId = (id: string): string[] =>
    spans
      .filter(({ spanID }) => spanID === id)
      .flatMap(warningsOfSpan)
      .toSorted();
  return spans
    .map(({ processID, tags, logs, ...span }) => ({
      ...span,
      warnings: ofId(span.spanID),
      logs: logs.toSorted((a, b) => a.timestamp - b.timestamp),
      tags: tags
        .filter(({ key }) => key !== STORED_WARNINGS)
        .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      process: processes[processID],
    }))
    .sort((a, b) => a.startTime - b.startTime || (a.operationName < b.operationName ? -1 : 1));
}
