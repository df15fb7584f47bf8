import assert from 'node:assert/strict';

import { describeFinding } from '../../src/cli/view/findings.ts';
import { asJson, exportedOf } from '../../src/viewer/html-file.ts';
import { jaegerOf } from '../../src/viewer/jaeger/api.ts';
import { outlineOf } from '../../src/viewer/outline.ts';
import { otlpOf } from '../../src/viewer/otlp-write.ts';
import { readOtlp } from '../../src/viewer/otlp.ts';
import { perfettoOf } from '../../src/viewer/perfetto.ts';
import { Viewer } from '../../src/viewer/viewer.ts';
import { asWellFormedJson } from './target.ts';

const MAX_OUTLINE_BYTES = 8000;

export function newViewer(): Viewer {
  return new Viewer({ source: { kind: 'live', name: 'fuzz' }, version: '0', describeFinding });
}

/** Asks a viewer for all that it shows and writes, and fails where one of these is malformed. */
export function assertViewable(viewer: Viewer): void {
  for (const answer of [viewer.summary(), viewer.requests(), viewer.pending(), viewer.findings()]) {
    asWellFormedJson(answer);
  }
  const traces = [...viewer.store.traces];
  for (const trace of traces) {
    const view = viewer.trace(trace.traceId);
    assert.ok(view, trace.traceId);
    asWellFormedJson(view);
    const outline = asWellFormedJson(outlineOf(view, MAX_OUTLINE_BYTES));
    assert.ok(outline.length <= MAX_OUTLINE_BYTES * 1.5, `an outline of ${outline.length}`);
    asWellFormedJson(jaegerOf(trace));
    const { spans } = trace;
    const again = readOtlp(JSON.parse(asWellFormedJson(otlpOf(spans))));
    assert.equal(again.length, spans.length);
  }
  asWellFormedJson(perfettoOf(traces));
  assert.ok(!/<\/|<!--/.test(asJson(exportedOf(viewer))));
}
