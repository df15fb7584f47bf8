import assert from 'node:assert/strict';

import { itBehavesAsBare, itNames, type Expected } from './support/expectations.ts';
import type { Asked } from './support/observed.ts';
import { run } from './support/run.ts';
import { NEXT } from './support/subjects.ts';

describe('routes of Next.js', function () {
  this.timeout(600_000);

  const rows: [path: string | Asked, Expected][] = [
    [
      { path: '/api/users/7?a=b', times: 3 },
      ['GET /api/users/[id]', undefined, { inContext: ['GET user'] }],
    ],
    ['/api/users/0', ['GET /api/users/[id]', undefined, { status: 500 }]],
    ['/shop/a/b', ['GET /shop/[...slug]', undefined, { inContext: ['Shop'] }]],
    ['/fails', ['GET /fails', undefined, { status: 500 }]],
    ['/api/old', ['GET /api/old', undefined, { inContext: ['old'] }]],
    [
      { method: 'POST', path: '/api/users/7' },
      ['POST /api/users/[id]', undefined, { status: 405 }],
    ],
    ['/nothing/at/all', ['GET', undefined, { status: 404 }]],
    ['/favicon.ico', ['GET', undefined, { status: 404 }]],
  ];

  for (const subject of NEXT) {
    for (const kind of ['ES module', 'CommonJS module'] as const) itNames(subject, kind, rows);
    itBehavesAsBare(
      subject,
      rows.map(([asked]) => asked),
    );

    it(`have one span of a fetch, with ${subject.title}`, async () => {
      const { answers } = await run(subject, { asked: [{ path: '/fetches' }] });
      const [answer] = answers;
      // The server that was fetched from is this one, and its span is the fetch's child.
      assert.equal(answer?.serverSpans, 2);
      const outgoing = answer.others.filter((name) => /^fetch |^GET$/.test(name));
      assert.equal(outgoing.length, 1, outgoing.join());
      assert.match(outgoing[0] ?? '', /^fetch GET http:.*name=a$/);
    });

    it(`keep the spans of its own steps with ${subject.title}`, async () => {
      const { answers } = await run(subject, { asked: [{ path: '/api/users/7' }] });
      const [answer] = answers;
      assert.ok(answer?.span);
      assert.match(answer.others.join(), /executing api route \(app\) \/api\/users\/\[id\]/);
      assert.equal(answer.span?.attributes['next.span_type'], 'BaseServer.handleRequest');
      assert.equal('http.target' in answer.span.attributes, false, 'it has the query');
    });
  }

  it('leave a second span of the request where they are switched off', async () => {
    const [subject] = NEXT;
    assert.ok(subject);
    const { answers } = await run(subject, {
      asked: [{ path: '/api/users/7' }],
      env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'next' },
    });
    assert.equal(answers[0]?.serverSpans, 2);
  });
});
