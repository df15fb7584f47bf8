import assert from 'node:assert/strict';

import { readOtlp } from '../../src/viewer/otlp.ts';
import { outlineOf } from '../../src/viewer/outline.ts';
import { boundedSpan } from '../../src/viewer/bounded-span.ts';
import { Viewer } from '../../src/viewer/viewer.ts';
import { describeFinding } from '../../src/cli/view/findings.ts';
import { MIDNIGHT, otlp, spanId, traceId, type TestSpan } from './support/spans.ts';

const viewerOf = (...spans: TestSpan[]): Viewer => {
  const source = { kind: 'file' as const, name: 'test' };
  const viewer = new Viewer({ source, version: '0', describeFinding });
  viewer.add(readOtlp(otlp(...spans)));
  return viewer;
};
const find = (viewer: Viewer, query: Record<string, string>): string[] =>
  viewer.requests(new URLSearchParams(query)).requests.map(({ name }) => name);

describe('Viewer', () => {
  const requests: TestSpan[] = [
    { id: '1', trace: 'f1', name: 'GET /a', end: 10, attributes: { 'http.route': '/a' } },
    { id: '2', trace: 'f1', parent: '1', name: 'SELECT', start: 1, end: 9, service: 'db' },
    { id: '1', trace: 'f2', name: 'GET /b', start: 100, end: 140, failed: 'Boom' },
    { id: '1', trace: 'f3', name: 'GET /c', start: 200, end: 205, attributes: { n: 5 } },
  ];

  it('lists requests, the newest or the slowest first, in pages', () => {
    const viewer = viewerOf(...requests);
    assert.deepEqual(find(viewer, {}), ['GET /c', 'GET /b', 'GET /a']);
    assert.deepEqual(find(viewer, { sort: 'slowest' }), ['GET /b', 'GET /a', 'GET /c']);
    const page = viewer.requests(new URLSearchParams({ limit: '2' }));
    assert.deepEqual([page.total, page.next, page.requests.length], [3, '2', 2]);
    assert.deepEqual(find(viewer, { limit: '2', before: '2' }), ['GET /a']);
  });

  it('leaves operations out that no request made, but not what is wrong with one', () => {
    const start = { kind: 3, start: 300, end: 301 };
    const outside: TestSpan[] = [
      { id: '1', trace: 'e1', name: 'SELECT version', ...start },
      { id: '1', trace: 'e2', name: 'SELECT broken', failed: 'no', ...start },
      {
        id: '1',
        trace: 'e3',
        name: 'SELECT lost',
        attributes: { 'clew.context_loss': 'CLEW-LOST-QUEUE' },
        ...start,
      },
      { id: '1', trace: 'e4', parent: 'dead', name: 'SELECT orphan', ...start },
    ];
    const viewer = viewerOf(...requests, ...outside);
    const list = viewer.requests(new URLSearchParams({ outside: 'false' }));
    assert.deepEqual([list.total, list.outside, viewer.summary().outside], [6, 1, 1]);
    assert.ok(!list.requests.some(({ name }) => name === 'SELECT version'));
    assert.equal(viewer.requests().total, 7);
    // A client's span over that of a server is a request, whoever sent it.
    const [call, served] = [
      { id: '1', trace: 'e5', name: 'GET', ...start },
      { id: '2', trace: 'e5', parent: '1', name: 'GET /orders', ...start, kind: 2 },
    ];
    assert.deepEqual(find(viewerOf(call, served, outside[0]!), { outside: 'false' }), ['GET']);
    assert.equal(viewerOf(call, outside[0]!).summary().outside, 2);
    // Where nothing else fits, they are what was looked for.
    assert.deepEqual(find(viewer, { outside: 'false', q: 'version' }), ['SELECT version']);
  });

  it('finds by service, operation, attribute, duration, error, text and time', () => {
    const viewer = viewerOf(...requests);
    const cases: [Record<string, string>, string[]][] = [
      [{ service: 'db' }, ['GET /a']],
      [{ operation: 'SELECT' }, ['GET /a']],
      [{ attribute: 'http.route=/a' }, ['GET /a']],
      [{ attribute: 'http.route' }, ['GET /a']],
      [{ attribute: 'n=5' }, ['GET /c']],
      [{ attribute: 'service.name=db' }, ['GET /a']],
      [{ minDuration: '10', maxDuration: '10' }, ['GET /a']],
      [{ minDuration: '10.1' }, ['GET /b']],
      [{ error: 'true' }, ['GET /b']],
      [{ error: 'false' }, ['GET /c', 'GET /a']],
      [{ q: 'bOOm' }, ['GET /b']],
      [{ q: 'nothing has this' }, []],
      [{ from: String(MIDNIGHT + 141), to: String(MIDNIGHT + 300) }, ['GET /c']],
    ];
    for (const [query, names] of cases)
      assert.deepEqual(find(viewer, query), names, JSON.stringify(query));
  });

  it('refuses parameters that make no sense, and names them', () => {
    const cases: [Record<string, string>, RegExp][] = [
      [{ minDuration: 'long' }, /`minDuration` to be a number, 0 or more, got `long`/],
      [{ limit: '1001' }, /`limit` to be a number from 0 to 1000/],
      [{ sort: 'best' }, /`sort`/],
      [{ error: 'maybe' }, /`error`/],
      [{ minDuration: '5', maxDuration: '4' }, /nothing can match/],
    ];
    for (const [query, message] of cases) assert.throws(() => find(viewerOf(), query), message);
  });

  it('reports what it holds, and what was refused', () => {
    const viewer = viewerOf(...requests);
    viewer.refuse('no OTLP');
    const summary = viewer.summary();
    assert.deepEqual(
      summary.services.map(({ name }) => name),
      ['db', 'shop'],
    );
    assert.deepEqual([summary.traces, summary.spans], [3, 4]);
    assert.deepEqual(summary.dropped, { traces: 0, spans: 0, refused: 1, lastReason: 'no OTLP' });
    assert.deepEqual(summary.rangeMs, [MIDNIGHT, MIDNIGHT + 205]);
  });
});

describe('a trace for the page', () => {
  it('has its critical path, cut where a child sticks out', () => {
    const view = viewerOf(
      { id: '1', end: 100 },
      { id: '2', parent: '1', start: 10, end: 40 },
      { id: '3', parent: '1', start: 50, end: 120 },
      { id: '4', parent: '1', start: 5, end: 15 },
      { id: '5', parent: '1', start: 110, end: 120 },
    ).trace(traceId('f0'));
    const paths = Object.fromEntries(
      view?.spans.map(({ id, critical }) => [Number(id), critical]) ?? [],
    );
    assert.deepEqual(paths[1], [
      [0, 10_000],
      [40_000, 50_000],
    ]);
    assert.deepEqual(paths[2], [[10_000, 40_000]]);
    assert.deepEqual(paths[3], [[50_000, 100_000]]);
    assert.deepEqual(paths[4], []);
    assert.deepEqual(paths[5], []);
  });

  it('has exceptions with their stack, links that can be opened, and texts of a bounded length', () => {
    const viewer = viewerOf(
      {
        id: '1',
        attributes: { long: 'x'.repeat(20_000) },
        events: [
          { name: 'late', at: 5 },
          {
            name: 'exception',
            at: 2,
            attributes: { 'exception.type': 'Error', 'exception.stacktrace': 'Error: no\n  at x' },
          },
        ],
        links: [
          { trace: 'f1', span: '9', attributes: { 'clew.link': 'blocked_by' } },
          { trace: 'f2', span: '9' },
        ],
      },
      { id: '9', trace: 'f1' },
    );
    const [span] = viewer.trace(traceId('f0'))?.spans ?? [];
    assert.ok(span);
    const long = span.attributes[0]?.[1];
    assert.ok(typeof long === 'string');
    assert.match(long, /^x+… \(20000 characters\)$/);
    assert.deepEqual(span.events[0]?.exception, { type: 'Error', stack: 'Error: no\n  at x' });
    assert.deepEqual(
      span.links.map(({ relation, known }) => [relation, known]),
      [
        ['blocked_by', true],
        [undefined, false],
      ],
    );
  });

  it('has the host and the path of an outgoing request beside its name', () => {
    const path = (kind: number, attributes: Record<string, unknown>) =>
      viewerOf({ id: '1', name: 'GET', kind, attributes }).trace(traceId('f0'))?.request.path;
    const url = 'https://user:secret@api.test:8443/orders/7?token=secret#there';
    assert.equal(path(3, { 'url.full': url }), 'api.test:8443/orders/7');
    assert.equal(path(3, { 'http.url': 'http://[::1]:80/a' }), '[::1]:80/a');
    assert.equal(path(3, { 'url.full': 'mailto:a@b.test' }), undefined);
    assert.equal(path(2, { 'url.full': url }), undefined);
    assert.equal(path(2, { 'url.full': url, 'url.path': '/orders/7' }), '/orders/7');
  });

  it('stands beside the typical request of its name', () => {
    const request = (trace: string, query: number): TestSpan[] => [
      { id: '1', trace, name: 'GET /a', end: query + 2 },
      { id: '2', trace, parent: '1', name: 'SELECT', start: 1, end: query + 1 },
    ];
    const others = [10, 12, 14].flatMap((query, index) => request(`e${index}`, query));
    const { typical } = viewerOf(...request('f0', 100), ...others).trace(traceId('f0')) ?? {};
    assert.equal(typical?.requests, 3);
    assert.equal(typical.durationMs, 14);
    const [first] = typical.operations;
    assert.equal(first?.name, 'SELECT');
    assert.deepEqual(first.typical, { count: 1, totalMs: 12, selfMs: 12 });
    assert.equal(first.lostMs, 88);
    assert.equal(viewerOf(...request('f0', 1)).trace(traceId('f0'))?.typical, undefined);
  });

  it('has threads with the wait for the loop where the blocker ran, and its name', () => {
    const viewer = viewerOf(
      {
        id: '1',
        name: 'GET /idle',
        end: 60,
        attributes: {
          'clew.run.ms': 1,
          'clew.wait.io.ms': 9,
          'clew.wait.loop.ms': 50,
          'clew.blocked_by': 'GET /block',
          'clew.blocked_by.ms': 50,
        },
        links: [{ trace: 'f1', span: '1', attributes: { 'clew.link': 'blocked_by' } }],
      },
      { id: '1', trace: 'f1', name: 'GET /block', start: 5, end: 57 },
    );
    const { threads, request } = viewer.trace(traceId('f0')) ?? {};
    assert.deepEqual(request?.parts, { runningMs: 1, ioMs: 9, loopMs: 50 });
    assert.equal(threads?.source, 'spans');
    const [gap] = threads.threads[0]?.gaps ?? [];
    assert.deepEqual([gap?.start, gap?.end, gap?.estimated], [7000, 57_000, true]);
    assert.deepEqual(gap?.blocker, {
      name: 'GET /block',
      ms: 50,
      traceId: traceId('f1'),
      spanId: spanId('1'),
    });
    assert.equal(viewerOf({ id: '1' }).trace(traceId('f0'))?.threads.source, 'none');
  });

  it('has the waits for the loop exactly where the request has them, below it as well', () => {
    const parts = (loop: number) => ({
      'clew.run.ms': 1,
      'clew.wait.io.ms': 1,
      'clew.wait.loop.ms': loop,
    });
    const viewer = viewerOf(
      {
        id: '1',
        name: 'GET /idle',
        end: 60,
        attributes: {
          ...parts(40),
          'clew.blocked_by': 'GET /block',
          'clew.blocked_by.ms': 20,
          'clew.run.at': [0, 6000],
          'clew.wait.loop.at': [10_000, 18_000, 18_020, 30_000, 40_000, 46_000],
          'clew.wait.loop.by': ['GET /block', 'GET /block', 'Timeout (tick)'],
        },
        links: [{ trace: 'f1', span: '1', attributes: { 'clew.link': 'blocked_by' } }],
      },
      { id: '2', parent: '1', name: 'SELECT', start: 25, end: 42, attributes: parts(7) },
      // Of another process the request knows nothing.
      {
        id: '3',
        parent: '1',
        name: 'far',
        service: 'stock',
        start: 25,
        end: 42,
        attributes: parts(7),
      },
    );
    const { threads } = viewer.trace(traceId('f0')) ?? {};
    const [request, query, far] = threads?.threads ?? [];
    const told = (thread: typeof request) =>
      thread?.gaps.map(({ start, end, estimated, blocker }) => [
        start,
        end,
        estimated,
        blocker?.name,
        blocker?.traceId,
      ]);
    const block = traceId('f1');
    assert.deepEqual(request?.running, [[0, 6000]]);
    assert.deepEqual(told(request), [
      [10_000, 30_000, false, 'GET /block', block],
      [40_000, 46_000, false, 'Timeout (tick)', undefined],
    ]);
    assert.deepEqual(told(query), [
      [25_000, 30_000, false, 'GET /block', block],
      [40_000, 42_000, false, 'Timeout (tick)', undefined],
    ]);
    assert.deepEqual(
      told(far)?.map(([, , estimated]) => estimated),
      [true],
    );
  });

  describe('puts no wait where the request ran', () => {
    const gapsOf = (...spans: TestSpan[]) =>
      viewerOf(...spans)
        .trace(traceId('f0'))
        ?.threads.threads.map(({ gaps }) =>
          gaps.map(({ start, end, estimated }) => [start, end, estimated]),
        );
    const parts = (run: number, loop: number) => ({
      'clew.run.ms': run,
      'clew.wait.io.ms': 0,
      'clew.wait.loop.ms': loop,
    });

    it('but before it, after it, or in pieces where it does not fit', () => {
      const at = (loop: number, ...runs: number[]) =>
        gapsOf({ id: '1', end: 60, attributes: { ...parts(20, loop), 'clew.run.at': runs } })?.[0];
      // Without what ran it would be 30 to 40.
      assert.deepEqual(at(10), [[30_000, 40_000, true]]);
      assert.deepEqual(at(10, 25_000, 42_000), [[42_000, 52_000, true]]);
      assert.deepEqual(at(20, 25_000, 45_000), [[5000, 25_000, true]]);
      assert.deepEqual(at(30, 20_000, 50_000), [
        [0, 20_000, true],
        [50_000, 60_000, true],
      ]);
      assert.deepEqual(at(30, 0, 60_000), []);
      // What was sent may be out of order, and beyond the end.
      assert.deepEqual(at(10, 50_000, 90_000, 0, 40_000), [[40_000, 50_000, true]]);
    });

    it('and nothing that ran after the end', () => {
      const attributes = {
        ...parts(20, 10),
        'clew.run.at': [0, 10_000, 55_000, 80_000, 70_000, 75_000],
      };
      const { threads } = viewerOf({ id: '1', end: 60, attributes }).trace(traceId('f0')) ?? {};
      assert.deepEqual(threads?.threads[0]?.running, [
        [0, 10_000],
        [55_000, 60_000],
      ]);
    });

    it('nor where a request did that an outgoing one of its own process asked', () => {
      const told = { ...parts(1, 30), 'clew.wait.loop.at': [10_000, 40_000] };
      const [client, server, query] =
        gapsOf(
          { id: '1', name: 'GET', kind: 3, end: 60, attributes: told },
          {
            id: '2',
            parent: '1',
            name: 'GET /own',
            kind: 2,
            start: 10,
            end: 42,
            attributes: { ...parts(30, 0.5), 'clew.run.at': [0, 30_000] },
          },
          { id: '3', parent: '2', name: 'SELECT', start: 40, end: 42, attributes: parts(1, 0.5) },
        ) ?? [];
      assert.deepEqual(client, [[10_000, 40_000, false]]);
      assert.deepEqual(server, [[40_000, 40_500, true]]);
      assert.deepEqual(
        query?.map(([, , estimated]) => estimated),
        [true],
      );
    });
  });

  it('ends a lost thread at the line that lost it, where the doctor knows the line', () => {
    const viewer = viewerOf(
      {
        id: '1',
        name: 'GET /a',
        attributes: { 'clew.context_loss': 'CLEW-LOST-QUEUE', 'clew.run.ms': 1 },
      },
      { id: '1', trace: 'f1', name: 'GET /b', attributes: { 'clew.context_loss': 'CLEW-NO-SUCH' } },
    );
    viewer.addFindings([
      {
        name: 'CLEW-LOST-QUEUE',
        kind: 'lost',
        summary: 'pg.query lost it',
        count: 7,
        owner: 'GET /a',
        place: { file: 'app.js', line: 14 },
      },
    ]);
    const view = viewer.trace(traceId('f0'));
    assert.deepEqual(view?.threads.threads[0]?.lost, {
      at: 10_000,
      finding: 'CLEW-LOST-QUEUE',
      place: { file: 'app.js', line: 14 },
    });
    assert.deepEqual(view.spans[0]?.findings, [0]);
    assert.equal(view.request.findings, 1);
    const { findings } = viewer.findings();
    assert.equal(findings.length, 1, 'a mark that the doctor does not know is no finding');
    assert.deepEqual(
      findings[0]?.spans.map((span) => span.name),
      ['GET /a'],
    );
  });
});

describe('pending work', () => {
  it('counts the greatest number at once in each bucket, by type', () => {
    const viewer = viewerOf(
      { id: '1', end: 100 },
      { id: '2', parent: '1', start: 10, end: 30, attributes: { 'db.system.name': 'postgresql' } },
      { id: '3', parent: '1', start: 20, end: 60, attributes: { 'db.system.name': 'postgresql' } },
      { id: '4', parent: '1', kind: 1, start: 0, end: 100 },
    );
    const view = viewer.pending(new URLSearchParams({ buckets: '10' }));
    assert.equal(view.source, 'spans');
    assert.equal(view.stepMs, 10);
    const counts = Object.fromEntries(view.series.map((one) => [one.type, one.counts]));
    assert.deepEqual(counts['requests'], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert.deepEqual(counts['postgresql'], [0, 1, 2, 2, 1, 1, 1, 0, 0, 0]);
    const part = viewer.pending(
      new URLSearchParams({
        from: String(MIDNIGHT + 70),
        to: String(MIDNIGHT + 100),
        buckets: '3',
      }),
    );
    assert.deepEqual(
      part.series.map(({ type }) => type),
      ['requests'],
    );
  });

  it('is empty where there is nothing', () => {
    assert.deepEqual(viewerOf().pending().series, []);
  });
});

describe('answers of a bounded size', () => {
  const wide = Array.from({ length: 5000 }, (_, index): TestSpan => {
    const id = (index + 1).toString(16);
    if (index === 0) return { id, name: 'GET /', end: 6000 };
    const name = `step ${index % 70} ${'y'.repeat(index % 300)}`;
    return {
      id,
      parent: (index < 50 ? 1 : (index % 49) + 2).toString(16),
      name,
      start: index,
      end: index + 1,
    };
  });

  it('shows the shape of a trace of 5,000 spans in less than 8 KB, and what it left out', () => {
    const view = viewerOf(...wide).trace(traceId('f0'));
    assert.ok(view);
    const outline = outlineOf(view);
    const bytes = JSON.stringify(outline).length;
    assert.ok(bytes < 8192, String(bytes));
    assert.equal(outline.tree[0]?.name, 'GET /');
    assert.equal(outline.tree[0].count, 1);
    assert.ok((outline.tree[0].children?.length ?? 0) > 5);
    assert.ok(outline.nodesOmitted > 0);
    const small = viewerOf({ id: '1' }, { id: '2', parent: '1' }, { id: '3', parent: '1' });
    const all = outlineOf(small.trace(traceId('f0')) ?? view);
    assert.equal(all.nodesOmitted, 0);
    assert.deepEqual(
      all.tree[0]?.children?.map(({ name }) => name),
      ['2', '3'],
    );
  });

  it('shows a span with a hundred long attributes in less than 8 KB, and counts the rest', () => {
    const attributes = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`key${index}`, '\u0000'.repeat(5000)]),
    );
    const [span] = viewerOf({ id: '1', attributes }).trace(traceId('f0'))?.spans ?? [];
    assert.ok(span);
    const bounded = boundedSpan(span, [], 7900);
    assert.ok(JSON.stringify(bounded).length <= 8000);
    assert.ok(bounded.omitted > 90);
  });

  it('loads a trace of ten thousand spans', () => {
    const spans = Array.from({ length: 10_000 }, (_, index): TestSpan => {
      const id = (index + 1).toString(16);
      return index === 0 ? { id, end: 20_000 } : { id, parent: '1', start: index, end: index + 1 };
    });
    const view = viewerOf(...spans).trace(traceId('f0'));
    assert.equal(view?.spans.length, 10_000);
    assert.equal(view.spans[0]?.descendants, 9999);
  });
});
