import assert from 'node:assert/strict';

import { Collector, type InitEvent } from '../../src/tracer/record-collector.ts';
import { ResourceOwner } from '../../src/tracer/owner.ts';

describe('Collector', () => {
  const limits = {
    idleMillis: 100,
    maxMillis: 10_000,
    maxRecordsPerTrace: 10,
    maxRecords: 30,
    maxSlices: 3,
  };
  let collector: Collector;
  let lastId: number;

  beforeEach(() => {
    collector = new Collector(limits);
    lastId = 10;
  });

  const init = (event: Partial<InitEvent> = {}): number => {
    const asyncId = event.asyncId ?? ++lastId;
    collector.init({
      type: 'PROMISE',
      triggerAsyncId: 1,
      executionAsyncId: 1,
      resource: {},
      owner: undefined,
      now: 0,
      ...event,
      asyncId,
    });
    return asyncId;
  };

  it('groups by trigger root and keeps every event of a life', () => {
    const root = init({ type: 'TCPSERVERWRAP', triggerAsyncId: 1 });
    const child = init({ type: 'TCPWRAP', triggerAsyncId: root, executionAsyncId: 0, now: 5 });
    collector.before(child, 10);
    collector.after(child, 12);
    collector.promiseResolve(child, 13);
    collector.destroy(child, 14);
    const [trace, ...rest] = collector.take(200);
    assert.deepEqual(rest, []);
    assert.deepEqual(trace?.root, { asyncId: 1, type: 'main' });
    assert.deepEqual(
      trace?.records.map((record) => record.type),
      ['TCPSERVERWRAP', 'TCPWRAP'],
    );
    const record = trace?.records[1];
    assert.deepEqual(record?.slices, [10, 12]);
    assert.deepEqual([record?.resolvedAt, record?.destroyedAt], [13, 14]);
    assert.deepEqual([record?.triggerAsyncId, record?.executionAsyncId], [root, 0]);
    assert.deepEqual([trace?.startedAt, trace?.endedAt, trace?.endedBy], [0, 14, 'idle']);
  });

  it('does not end a group when its first member is destroyed', () => {
    const first = init();
    init({ type: 'FSREQCALLBACK', triggerAsyncId: first });
    collector.destroy(first, 1);
    assert.deepEqual(collector.take(99), []);
    assert.deepEqual(collector.take(5000), []);
    collector.before(lastId, 5000);
    collector.after(lastId, 5001);
    const [trace] = collector.take(5101);
    assert.equal(trace?.records.length, 2);
  });

  it('waits for a timer that is not due, and not for one that was due and never fired', () => {
    init({ type: 'Timeout', resource: { _idleTimeout: 500 } });
    assert.deepEqual(collector.take(499), []);
    assert.equal(collector.take(500).length, 1);
  });

  it('never mixes requests, whatever their triggers are', () => {
    const [a, b] = [new ResourceOwner('GET /a', 0), new ResourceOwner('GET /b', 0)];
    const shared = init({ type: 'TCPWRAP', owner: a });
    init({ triggerAsyncId: shared, owner: b });
    init({ triggerAsyncId: shared });
    a.endedAt = b.endedAt = 1;
    const traces = collector.take(200);
    assert.deepEqual(
      traces.map((trace) => [trace.owner?.label, trace.records.length]),
      [
        ['GET /a', 1],
        ['GET /b', 1],
        [undefined, 1],
      ],
    );
  });

  it('keeps the group of a request open until the request ended', () => {
    const owner = new ResourceOwner('GET /', 0);
    init({ owner });
    assert.deepEqual(collector.take(5000), []);
    owner.endedAt = 5000;
    assert.equal(collector.take(5001).length, 1);
  });

  it('finishes a group at its age limit, and starts another for what follows', () => {
    const owner = new ResourceOwner('GET /stream', 0);
    init({ owner });
    const [first] = collector.take(limits.maxMillis);
    assert.equal(first?.endedBy, 'cap');
    init({ owner, now: 10_001 });
    owner.endedAt = 10_002;
    assert.equal(collector.take(10_200)[0]?.records.length, 1);
  });

  it('keeps as many records per group as the cap allows and counts the rest', () => {
    for (let i = 0; i < limits.maxRecordsPerTrace + 5; i++) init({ type: 'TCPWRAP' });
    const [trace] = collector.take(200);
    assert.equal(trace?.records.length, limits.maxRecordsPerTrace);
    assert.equal(trace?.dropped, 5);
    assert.equal(collector.stats().dropped, 5);
  });

  it('keeps a fifth of the room of a group for what is not a promise', () => {
    for (let i = 0; i < 20; i++) init();
    for (let i = 0; i < 3; i++) init({ type: 'UDPWRAP' });
    const [trace] = collector.take(200);
    const types = trace?.records.map((record) => record.type) ?? [];
    assert.equal(types.filter((type) => type === 'PROMISE').length, 8);
    assert.equal(types.filter((type) => type === 'UDPWRAP').length, 2);
  });

  it('lets what a resource beyond the cap triggers found no group of its own', () => {
    let trigger = 1;
    for (let i = 0; i < 200; i++) trigger = init({ type: 'TCPWRAP', triggerAsyncId: trigger });
    const [trace, ...rest] = collector.take(200);
    assert.deepEqual(rest, []);
    assert.equal(trace?.dropped, 200 - limits.maxRecordsPerTrace);
  });

  it('stays within its bound over all groups, the oldest giving way', () => {
    for (let root = 1000; root < 1100; root++) init({ triggerAsyncId: root });
    const { records, waiting, dropped } = collector.stats();
    assert.ok(records + waiting <= limits.maxRecords);
    assert.ok(dropped > 0);
    const traces = collector.take(200);
    assert.equal(traces[0]?.endedBy, 'cap');
    assert.equal(collector.stats().waiting, 0);
  });

  it('keeps a bounded number of callbacks per async resource and counts the rest', () => {
    const id = init();
    for (let i = 0; i < 5; i++) {
      collector.before(id, i * 2);
      collector.after(id, i * 2 + 1);
    }
    const [trace] = collector.take(200);
    assert.deepEqual(trace?.records[0]?.slices, [0, 1, 2, 3, 4, 5]);
    assert.equal(trace?.records[0]?.slicesDropped, 2);
  });

  it('shows what was born before as such', () => {
    collector.adopt(5, 'TCPWRAP', {}, undefined, 40);
    collector.before(5, 40);
    collector.after(5, 41);
    const [trace] = collector.take(200);
    assert.equal(trace?.records[0]?.bornBefore, true);
    assert.equal(trace?.records[0]?.initAt, 40);
  });

  it('names the root of a later group by a handle whose own group is finished', () => {
    const server = init({ type: 'TCPSERVERWRAP', triggerAsyncId: 1 });
    collector.take(200);
    init({ type: 'TCPWRAP', triggerAsyncId: server, now: 300 });
    assert.deepEqual(collector.take(500)[0]?.root, { asyncId: server, type: 'TCPSERVERWRAP' });
  });

  it('describes a resource that knows itself only after its init', () => {
    const resource: { description?: string } = {};
    const id = init({ type: 'QUERY', resource });
    resource.description = 'SELECT ?';
    collector.before(id, 1);
    collector.after(id, 2);
    assert.equal(collector.take(200)[0]?.records[0]?.description, 'SELECT ?');
  });

  it('is empty when everything was taken', () => {
    for (let i = 0; i < 5; i++) init({ triggerAsyncId: 1000 + i });
    assert.equal(collector.takeAll().length, 5);
    const stats = collector.stats();
    assert.deepEqual([stats.records, stats.groups, stats.waiting, stats.origins], [0, 0, 0, 0]);
  });

  it('ignores events of what it does not know', () => {
    collector.before(999, 1);
    collector.after(999, 2);
    collector.promiseResolve(999, 2);
    collector.destroy(999, 3);
    assert.deepEqual(collector.take(1000), []);
  });
});
