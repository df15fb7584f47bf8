import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { describeFinding } from '../../src/cli/view/findings.ts';
import { exportedOf, htmlFile } from '../../src/viewer/html-file.ts';
import type { Exported } from '../../src/viewer/trace-model.ts';
import { readOtlp } from '../../src/viewer/otlp.ts';
import { Viewer } from '../../src/viewer/viewer.ts';
import { otlp, type TestSpan } from './support/spans.ts';

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '<!-- <script>',
  ']]>',
  '"><img src=x onerror=alert(1)>',
  '\u2028\u2029',
  "$& $' $` $1",
  '</SCRIPT ',
];

const file = (type: string, text: string): { type: string; bytes: Buffer } => ({
  type,
  bytes: Buffer.from(text),
});
const PAGE = new Map([
  [
    '/index.html',
    file(
      'text/html',
      '<!doctype html><html><head><link rel="stylesheet" href="./page.css" />' +
        '<script type="module" src="./page.js"></script></head><body></body></html>',
    ),
  ],
  ['/page.css', file('text/css', 'a{content:"</style>"}')],
  ['/page.js', file('text/javascript', "const a = '</script>';\n//# sourceMappingURL=page.js.map")],
]);

const viewerOf = (...spans: TestSpan[]): Viewer => {
  const viewer = new Viewer({ source: { kind: 'file', name: 'x' }, version: '0', describeFinding });
  viewer.add(readOtlp(otlp(...spans)));
  return viewer;
};

describe('the HTML file', () => {
  const spans = HOSTILE.map((text, index): TestSpan => ({
    id: '1',
    trace: `e${index}`,
    name: text,
    attributes: { [text]: text },
    events: [{ name: text }],
  }));
  const html = htmlFile(PAGE, exportedOf(viewerOf(...spans)));

  it('holds the data, which ends no element and begins none', () => {
    const [, json = ''] =
      /<script type="application\/json" id="clew-data">([^<]*)<\/script>/.exec(html) ?? [];
    const data = JSON.parse(json) as Exported;
    assert.deepEqual(data.traces.map(({ request }) => request.name).sort(), HOSTILE.toSorted());
    assert.deepEqual(data.requests.length, HOSTILE.length);
    assert.equal(html.match(/<script/g)?.length, 2);
    assert.equal(html.match(/<\/script/gi)?.length, 2);
    assert.equal(html.match(/<\/style>/g)?.length, 1);
    assert.doesNotMatch(html, /[\u2028\u2029]/);
  });

  it('names no other file, and lets only its own script and styles be used', () => {
    const markup = html.replace(/id="clew-data">[^<]*/, '');
    assert.doesNotMatch(markup, /\bsrc=|\bhref=|sourceMappingURL/);
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
    assert.match(policy, /^default-src 'none'; /);
    assert.doesNotMatch(policy, /unsafe|'self'/);
    for (const [kind, pattern] of [
      ['script-src', /<script type="module">([^]*?)<\/script>/],
      ['style-src', /<style>([^]*?)<\/style>/],
    ] as const) {
      const text = pattern.exec(html)?.[1] ?? '';
      const hash = createHash('sha256').update(text).digest('base64');
      assert.ok(policy.includes(`${kind} 'sha256-${hash}'`), kind);
    }
  });

  it('counts the traces that it has no room for', () => {
    const many = Array.from({ length: 510 }, (_, index): TestSpan => ({
      id: '1',
      trace: `e${index}`,
      start: index,
    }));
    const data = exportedOf(viewerOf(...many));
    assert.deepEqual([data.traces.length, data.requests.length, data.omitted], [500, 500, 10]);
    assert.equal(data.requests[0]?.traceId, data.traces[0]?.traceId);
  });
});
