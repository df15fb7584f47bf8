import assert from 'node:assert/strict';

import { CauseBook } from '../../src/diagnosis/cause-book.ts';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { counts, FINDINGS, type Finding } from '../../src/diagnosis/finding.ts';
import type { CountedObservation, HandleRecord, SetupFact } from '../../src/diagnosis/record.ts';
import { BARE_SURROUNDINGS } from '../../src/diagnosis/surroundings.ts';
import { A, B, frames, observation, POOL_SOCKET, run } from './support.ts';

const findings = (...observations: CountedObservation[]): Finding[] =>
  diagnose(run({ observations }), BARE_SURROUNDINGS);
const finding = (given: Partial<CountedObservation>): Finding | undefined =>
  findings(observation(given))[0];

describe('diagnose', () => {
  it('names the line, the async resource, the hand-over, the owner and the change', () => {
    const [found] = findings(observation());
    assert.deepEqual(found, {
      number: 1,
      name: 'CLEW-LOST-QUEUE',
      kind: 'lost',
      certainty: 'proven',
      note: false,
      count: 1,
      brokenSpans: 1,
      summary: 'LOST 1 × pg.query: no request was active',
      yourLine: { file: '/app/routes.js', line: 14, column: 3 },
      resource: {
        type: 'TCPWRAP',
        asyncId: 18,
        repeating: false,
        born: { file: '/app/db.js', line: 12, column: 3 },
      },
      handOver: {
        file: '/app/node_modules/some-pool/index.js',
        line: 478,
        column: 3,
        by: 'package',
        package: 'some-pool',
      },
      owner: {
        label: 'GET /orders',
        count: 1,
        evidence: 'the callback called res.end() of that request',
      },
      fix: {
        rules: [],
        change: {
          file: '/app/routes.js',
          line: 14,
          text: 'bind the callback: AsyncResource.bind(callback), or await a promise',
        },
      },
      docs: 'clew/docs/findings.md#clew-lost-queue',
    });
  });

  it('calls a loss proven only where an anchor proves it', () => {
    const orphan: Partial<CountedObservation> = { anchored: false, owners: {} };
    assert.equal(finding({})?.certainty, 'proven');
    assert.equal(finding(orphan)?.certainty, 'possible');
    assert.equal(finding({ ...orphan, parentedElsewhere: true })?.certainty, 'likely');
    assert.equal(
      finding({ ...orphan, parentedElsewhere: true, inFlight: 2 })?.certainty,
      'possible',
    );
  });

  it('finds nothing in spans without a parent that start-up may have wanted', () => {
    const orphan: Partial<CountedObservation> = { anchored: false, owners: {} };
    const ownTimer: HandleRecord = {
      ...POOL_SOCKET,
      type: 'Timeout',
      stack: frames('/app/x.js:1'),
    };
    assert.equal(finding({ ...orphan, inFlight: 0 }), undefined);
    assert.equal(finding({ ...orphan, handle: ownTimer }), undefined);
    assert.equal(finding({ ...orphan, handle: undefined }), undefined);
  });

  it("leaves it open whether another request's code may touch a response", () => {
    const mixed: Partial<CountedObservation> = { kind: 'mixed', seen: B };
    const emitted = frames('/app/a.js:2', 'node:events:5', '/app/bus.js:8', '/app/b.js:1');
    assert.equal(finding(mixed)?.certainty, 'proven');
    assert.equal(finding({ ...mixed, stack: emitted })?.certainty, 'likely');
    assert.equal(finding({ ...mixed, stack: emitted, completes: false })?.certainty, 'possible');
    assert.equal(
      finding({ ...mixed, stack: frames('/app/a.js:2'), completes: false, handle: undefined })
        ?.certainty,
      'possible',
    );
  });

  it('leaves broadcasts to many responses alone', () => {
    const ownTimer: HandleRecord = {
      ...POOL_SOCKET,
      type: 'Timeout',
      stack: frames('/app/x.js:1'),
    };
    const piece: Partial<CountedObservation> = { completes: false, stack: frames('/app/x.js:2') };
    assert.equal(finding({ ...piece, handle: ownTimer }), undefined);
    assert.equal(finding({ ...piece, handle: ownTimer, completes: true })?.certainty, 'proven');
    assert.equal(finding({ completes: false })?.certainty, 'possible');
  });

  it('names stale work by what outlived its request', () => {
    const timer: HandleRecord = {
      asyncId: 7,
      type: 'Timeout',
      repeating: true,
      stack: frames('/app/cache.js:8'),
      bornIn: A,
    };
    const stale: Partial<CountedObservation> = { kind: 'stale', anchored: false, handle: timer };
    const found = finding({ ...stale, count: 5 });
    assert.equal(found?.name, 'CLEW-STALE-TIMER');
    assert.equal(found.certainty, 'proven');
    assert.equal(found.resource?.bornIn, 'GET /orders');
    assert.equal(found.fix.change?.file, '/app/cache.js');
    assert.equal(finding({ ...stale, count: 1 })?.certainty, 'likely');
    assert.equal(
      finding({ ...stale, handle: { ...POOL_SOCKET, bornIn: A } })?.name,
      'CLEW-STALE-CONNECTION',
    );
  });

  it('notes batches without failing a pipeline, and possible findings only when strict', () => {
    const batched = finding({ kind: 'batched', callers: 3 });
    assert.ok(batched);
    assert.equal(counts(batched, true), false);
    const possible = finding({ anchored: false, owners: {} });
    assert.ok(possible);
    assert.equal(counts(possible, false), false);
    assert.equal(counts(possible, true), true);
  });

  it('puts the most damage first, and what is uncertain or only good to know last', () => {
    const order = findings(
      observation({ kind: 'batched' }),
      observation({ anchored: false, owners: {}, brokenSpans: 99 }),
      observation({ brokenSpans: 3, count: 3 }),
      observation({ kind: 'mixed', seen: B, brokenSpans: 22 }),
    );
    assert.deepEqual(
      order.map(({ kind, number, certainty }) => `${number} ${kind} ${certainty}`),
      ['1 mixed proven', '2 lost proven', '3 lost possible', '4 batched proven'],
    );
  });

  it('puts each fault of a set-up into words under its own name', () => {
    const facts: SetupFact[] = [
      {
        fault: 'loaded-early',
        package: 'pg',
        instrumentation: 'i-pg',
        stack: frames('/app/a.js:1'),
      },
      { fault: 'api-copies', copies: [{ path: '/x', version: '1.4.0', works: false }] },
      { fault: 'second-provider', what: 'a tracer provider', stack: [] },
      { fault: 'esm-hook', packages: ['pg'], entry: '/app/a.mjs' },
      { fault: 'export-fails', target: 'h:4318', reason: '404', count: 2 },
      { fault: 'no-collector', target: 'h:4318', reason: 'ECONNREFUSED', count: 2 },
      { fault: 'bundled', entry: 'dist/app.js', packages: ['pg'] },
      { fault: 'version', package: 'x', version: '1.0.0', expected: '2' },
    ];
    const names = diagnose(run({ facts }), BARE_SURROUNDINGS).map(({ name }) => name);
    const setup = Object.keys(FINDINGS).filter((name) => name.startsWith('CLEW-SETUP-'));
    assert.deepEqual(names.toSorted(), setup.toSorted());
  });
});

describe('the book of causes', () => {
  it('merges what has one cause and counts it by owner', () => {
    const book = new CauseBook();
    const key = book.add(observation());
    book.add(observation());
    book.again(key ?? '', { owner: B, spans: [] });
    book.add(observation({ stack: frames('/app/other.js:1') }));
    const [first, second, ...rest] = book.entries();
    assert.equal(rest.length, 0);
    assert.deepEqual(first?.owners, { 'GET /orders': 2, 'GET /invoice': 1 });
    assert.equal(first?.count, 3);
    assert.equal(first?.brokenSpans, 2);
    assert.equal(second?.count, 1);
  });

  it('is bounded, and counts what it leaves out', () => {
    const book = new CauseBook();
    for (let line = 0; line < 600; line++)
      book.add(observation({ stack: frames(`/app/a.js:${line}`) }));
    assert.equal(book.entries().length, 500);
    assert.equal(book.dropped, 100);
  });
});
