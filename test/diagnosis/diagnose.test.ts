import assert from 'node:assert/strict';

import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { counts, type Finding } from '../../src/diagnosis/finding.ts';
import type { CountedObservation, HandleRecord, OwnerRef } from '../../src/diagnosis/record.ts';
import { BARE_SURROUNDINGS } from '../../src/diagnosis/surroundings.ts';
import { A, B, frames, observation, POOL_SOCKET, run } from './support.ts';

const findings = (...observations: CountedObservation[]): Finding[] =>
  diagnose(run({ observations }), BARE_SURROUNDINGS);
/** A package whose function makes what keeps callbacks. */
const MAKER = '/app/node_modules/some-lock/index.js';
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
        check: 'clew fix 1 --check',
      },
      docs: 'clew/docs/findings.md#clew-lost-queue',
    });
  });

  it('makes one finding of a loss and of what is stale in the same callbacks', () => {
    const handle = { ...POOL_SOCKET, bornIn: B };
    const stale = observation({ kind: 'stale', what: 'batch', handle, anchored: false, count: 4 });
    const [found, ...more] = findings({ ...stale, brokenSpans: 4 }, observation({ handle }));
    assert.deepEqual(more, []);
    assert.equal(found?.name, 'CLEW-LOST-QUEUE');
    assert.equal(found.brokenSpans, 5);
    const own = { ...stale, what: 'pg.query', brokenSpans: 1 };
    assert.equal(findings(own, observation({ handle }))[0]?.brokenSpans, 1);
  });

  it('keeps what is stale apart where the loss is another, or is not sure', () => {
    const handle = { ...POOL_SOCKET, bornIn: B };
    const stale = observation({ kind: 'stale', handle, anchored: false });
    const others: Partial<CountedObservation>[] = [
      { handle: { ...handle, stack: frames('/app/other.js:1') } },
      { handle, stack: frames('/app/routes.js:14', '/app/node_modules/other/index.js:1') },
      { handle, anchored: false },
      { handle, completes: false },
    ];
    for (const other of others) {
      const kinds = findings(stale, observation(other)).map(({ kind }) => kind);
      assert.ok(kinds.includes('stale'), JSON.stringify(other));
    }
  });

  it('names the line that hands over, where the package, the emitter or the file that kept it shows it', () => {
    const source = (call: string): string =>
      `http.createServer((req, res) => {\n ${call}\n  res.end();`;
    const files: Record<string, string> = {
      '/app/routes.js': source('pool.query(sql, () => {'),
      '/app/late.js': source('bus.once(name, () => {'),
      '/app/own.js': source('jobs.push(() => {'),
      '/app/jobs.js': 'exports.jobs = {\n  push(job) {\n    all.push(job);\n  },\n};',
      '/app/worker.js': 'const jobs = runner((job) => {\n  job.done();\n  job.res.end();',
      '/app/later.js': source('sem.take(() => setTimeout(() => {'),
      '/app/batch.js': `function load(id, cb) {}\n${source('load(id, () => {')}`,
      '/app/lock.js': `const locked = (fn) => sem.take(fn);\n${source('locked(() => {')}`,
      '/app/wait.js': `function config(cb) {}\n${source('config(() => {')}`,
      '/app/list.js': source('waiting.push(() => {'),
      '/app/promise.js': source('new Promise((resolve) => {'),
      [MAKER]: 'module.exports = () => ({\n  take: function () {},\n});',
    };
    const changeOf = (...places: string[]): string => {
      const surroundings = {
        ...BARE_SURROUNDINGS,
        source: (file: string) => files[file],
        pathsTo: (_name: string, method: string) =>
          /query|runner/.test(method) ? [method] : [`default()#${method}`],
        mentions: (_name: string, word: string) => word === 'take',
      };
      const [first = '', ...rest] = places;
      const isBorn = rest[0]?.startsWith(MAKER);
      const handle = isBorn ? { ...POOL_SOCKET, stack: frames(...rest) } : undefined;
      const seen = observation({ stack: frames(first, ...(isBorn ? [] : rest)), handle });
      const [found] = diagnose(run({ observations: [seen] }), surroundings);
      const { file, line, text } = found?.fix.change ?? {};
      return `${file}:${line} ${text}`;
    };
    const pool = '/app/node_modules/some-pool/index.js:478';
    assert.match(
      changeOf('/app/routes.js:3', pool),
      /^\/app\/routes\.js:2 bind the callback of pool\.query\(\):/,
    );
    assert.match(
      changeOf('/app/late.js:3', 'node:events:500', pool),
      /^\/app\/late\.js:2 .*bus\.once\(event, Async/,
    );
    assert.match(
      changeOf('/app/own.js:3', '/app/jobs.js:9'),
      /^\/app\/jobs\.js:3 keep AsyncResource\.bind\(job\) .*, not job itself$/,
    );
    assert.match(
      changeOf('/app/own.js:3', '/app/other.js:9'),
      /^\/app\/own\.js:2 .*jobs\.push\(\): .*here, or where other\.js keeps it/,
    );
    assert.match(
      changeOf('/app/worker.js:3', pool),
      /^\/app\/worker\.js:3 this runs for all callers/,
    );
    assert.match(changeOf('/app/none.js:3', pool), /^\/app\/none\.js:3 bind the callback: /);
    // Node's timers and promises in between carry the context.
    assert.match(
      changeOf('/app/later.js:3', `${MAKER}:2`),
      /^\/app\/later\.js:2 bind the callback of sem\.take\(\)/,
    );
    assert.match(changeOf('/app/promise.js:3', pool), /^\/app\/promise\.js:3 bind the callback: /);
    // A function of the same file kept it, or passed it on.
    assert.match(changeOf('/app/batch.js:4'), /^\/app\/batch\.js:3 bind the callback of load\(\)/);
    assert.match(changeOf('/app/list.js:3'), /^\/app\/list\.js:2 .*of waiting\.push\(\)/);
    assert.match(changeOf('/app/lock.js:4', pool), /^\/app\/lock\.js:3 .*of locked\(\)/);
    assert.match(
      changeOf('/app/wait.js:4', 'node:events:500', pool),
      /^\/app\/wait\.js:3 bind the callback of config\(\)/,
    );
  });

  it('names the package inside of a bundle that has a source map', () => {
    const sources: Record<number, string> = { 5: '/app/src/routes.ts', 9: MAKER };
    const surroundings = {
      ...BARE_SURROUNDINGS,
      original: ({ line, column }: { line: number; column: number }) => ({
        file: sources[line] ?? '',
        line: line * 10,
        column,
      }),
    };
    const seen = observation({
      stack: frames('/app/dist.js:5', '/app/dist.js:9'),
      handle: undefined,
    });
    const [found] = diagnose(run({ observations: [seen] }), surroundings);
    assert.deepEqual([found?.yourLine?.file, found?.yourLine?.line], ['/app/src/routes.ts', 50]);
    assert.deepEqual([found?.handOver?.package, found?.handOver?.line], ['some-lock', 90]);
  });

  it('makes one finding of lines that one change repairs, with the requests of all', () => {
    const source = 'get(id, cb) {\n  this.all.push({ id, cb });\n}\nflush() {\n  item.cb(null);';
    const surroundings = {
      ...BARE_SURROUNDINGS,
      source: (file: string) => (file === '/app/batch.js' ? source : undefined),
    };
    const at = (line: number, owner: OwnerRef, count: number): CountedObservation =>
      observation({
        kind: 'mixed',
        stack: frames(`/app/routes.js:${line}`, '/app/batch.js:5'),
        owner,
        owners: { [owner.label]: count },
        count,
      });
    const [found, ...more] = diagnose(
      run({ observations: [at(3, A, 1), at(9, B, 4)] }),
      surroundings,
    );
    assert.deepEqual(more, []);
    assert.deepEqual([found?.count, found?.yourLine?.line], [5, 9]);
    assert.deepEqual(
      found?.also?.map(({ line }) => line),
      [3],
    );
    assert.deepEqual(found.owner?.others, { 'GET /orders': 1 });
    assert.equal(found.handOver?.line, 5);
    assert.equal(found.fix.change?.line, 2);

    // The same lines, touched in another way.
    const twice = [at(3, A, 1), at(9, B, 4), at(9, A, 1), at(3, B, 1)];
    const [once] = diagnose(run({ observations: twice }), surroundings);
    assert.deepEqual(
      [once?.yourLine, ...(once?.also ?? [])].map((place) => place?.line),
      [9, 3],
    );
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

  it('does not blame what brought a request to its handler, and reports less without another', () => {
    const served = [
      '/app/routes.js:2',
      '/app/node_modules/some-router/index.js:5',
      'node:events:5',
    ];
    const mixed: Partial<CountedObservation> = {
      kind: 'mixed',
      seen: B,
      stack: frames('/app/routes.js:14', 'node:internal/process/task_queues:95'),
      handle: undefined,
    };
    const expected = ['CLEW-MIXED-CALLBACK', 'likely', undefined, []];
    for (const birth of [
      frames('/app/queue.js:3', ...served, 'node:_http_server:1139'),
      // The handler of another request awaits, and the package awaits it.
      [
        ...frames('/app/queue.js:3', ...served, 'node:_http_server:1139'),
        { file: '/app/node_modules/some-router/index.js', line: 7, column: 1, isAsync: true },
      ],
    ]) {
      const { name, certainty, handOver, fix } = finding({ ...mixed, birth }) ?? {};
      assert.deepEqual([name, certainty, handOver, fix?.rules], expected);
    }
    const package_ = finding({ ...mixed, birth: frames('node:net:1', ...served) });
    assert.equal(package_?.handOver?.package, 'some-router');
  });

  it('looks for the hand-over in earlier turns where a callback around the line ran', () => {
    const source = [
      'pool.acquire((c) => {',
      '  c.ask().then((rows) => {',
      '    res.end(rows);',
      '  });',
      '});',
    ];
    const texts: Record<string, string> = {
      '/app/routes.js': `function handle(req, res) {\n${source.join('\n')}\n}`,
      '/app/pool.js': 'release() {\n  const next = list.shift();\n  next(1);\n  other(\n1);\n}',
    };
    const surroundings = { ...BARE_SURROUNDINGS, source: (file: string) => texts[file] };
    const of = (...birth: string[]): (string | number | undefined)[] => {
      const stack = frames('/app/routes.js:4', 'node:internal/process/task_queues:95');
      const observations = [
        observation({ kind: 'mixed', seen: B, stack, handle: undefined, birth: frames(...birth) }),
      ];
      const [found] = diagnose(run({ observations }), surroundings);
      return [found?.handOver?.file, found?.handOver?.line, found?.certainty];
    };
    const node = 'node:internal/process/task_queues:95';
    assert.deepEqual(of('/app/routes.js:3', '/app/pool.js:3', node), ['/app/pool.js', 3, 'proven']);
    // It called back, and its source does not show how it got hold of the callback.
    assert.deepEqual(of('/app/routes.js:3', '/app/pool.js:5', node), ['/app/pool.js', 5, 'likely']);
    assert.deepEqual(of('/app/routes.js:9', '/app/pool.js:3', node), [
      undefined,
      undefined,
      'likely',
    ]);
  });

  it('names the line that puts a callback into a list, be it in a queue of types or at the caller', () => {
    const changeOf = (queue: string, caller: string): string => {
      const texts: Record<string, string> = {
        '/app/queue.ts': queue,
        '/app/routes.ts': `function handle(req, res) {\n${caller}(() => {\n res.end();\n });\n}`,
      };
      const surroundings = { ...BARE_SURROUNDINGS, source: (file: string) => texts[file] };
      const line = queue.split('\n').findIndex((text) => text.includes('job();')) + 1;
      const stack = frames('/app/routes.ts:3', `/app/queue.ts:${line}`, 'node:internal/timers:5');
      const observations = [observation({ kind: 'mixed', seen: B, stack })];
      const { change } = diagnose(run({ observations }), surroundings)[0]?.fix ?? {};
      return `${change?.file}:${change?.line} ${change?.text}`;
    };
    const running = 'run() {\n  const job = this.jobs.shift();\n  job();\n}';
    const push = 'push<T>(task: (value: T) => void): Promise<void> {\n  this.jobs.push(task);\n}';
    assert.match(
      changeOf(`${push}\n${running}`, 'queue.push'),
      /^\/app\/queue\.ts:2 .*bind\(task\)/,
    );
    // The list is its own, and something else in the file keeps a function.
    const other = 'on(listener) {\n  this.all.push(listener);\n}';
    assert.match(
      changeOf(`${other}\n${running}`, 'jobs.push'),
      /^\/app\/routes\.ts:2 .*jobs\.push\(\)/,
    );
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
    // A timer that starts the next one is a loop where it outlives its request, and not in a queue.
    const chained: HandleRecord = { ...timer, repeating: false, chained: true };
    const loop = finding({ ...stale, handle: chained, count: 5 });
    assert.deepEqual([loop?.certainty, loop?.resource?.repeating], ['proven', true]);
    assert.equal(finding({ handle: chained })?.resource?.repeating, false);
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
});
