import assert from 'node:assert/strict';

import type { AsyncRecord, AsyncTrace } from '../../src/tracer/record.ts';
import { nameOfType, shape } from '../../src/tracer/shape.ts';

const record = (asyncId: number, type: string, over: Partial<AsyncRecord> = {}): AsyncRecord => ({
  asyncId,
  type,
  triggerAsyncId: 1,
  executionAsyncId: 1,
  initAt: asyncId,
  slices: [asyncId + 1, asyncId + 2],
  slicesDropped: 0,
  bornBefore: false,
  ...over,
});
const group = (records: AsyncRecord[], dropped = 0): AsyncTrace => ({
  root: { asyncId: 1, type: 'HTTPINCOMINGMESSAGE' },
  startedAt: 0,
  endedAt: 100,
  records,
  endedBy: 'idle',
  dropped,
});

describe('shape', () => {
  it('folds what stays in JavaScript into what triggered it', () => {
    const { nodes, folded } = shape(
      group([
        record(2, 'PROMISE'),
        record(3, 'FSREQCALLBACK', { triggerAsyncId: 2 }),
        record(4, 'TickObject', { triggerAsyncId: 3 }),
        record(5, 'PROMISE', { triggerAsyncId: 4, slices: [20, 25] }),
        record(6, 'GETADDRINFOREQWRAP', { triggerAsyncId: 5 }),
      ]),
    );
    assert.deepEqual(
      nodes.map((node) => node.name),
      ['fs', 'dns lookup'],
    );
    assert.equal(folded, 1);
    const [file, lookup] = nodes;
    assert.equal(file?.folded, 2);
    assert.equal(file?.endedAt, 25);
    assert.equal(file?.runMillis, 1 + 1 + 5);
    assert.equal(file?.parent, undefined);
    assert.equal(lookup?.parent, file);
  });

  it('links a node to the one in whose callback it was created, where that is not its trigger', () => {
    const { nodes } = shape(
      group([
        record(2, 'TCPWRAP'),
        record(3, 'Timeout'),
        record(4, 'QUERY', { triggerAsyncId: 2, executionAsyncId: 3 }),
        record(5, 'ZLIB', { triggerAsyncId: 2, executionAsyncId: 2 }),
      ]),
    );
    const [socket, timer, query, zlib] = nodes;
    assert.deepEqual([query?.parent, query?.createdBy], [socket, timer]);
    assert.deepEqual([zlib?.parent, zlib?.createdBy], [socket, undefined]);
  });

  it('leaves timers out that never fired', () => {
    assert.deepEqual(shape(group([record(2, 'Timeout', { slices: [] })])).nodes, []);
  });

  it('leaves out a timer that fires when the request is over, with what it would prolong', () => {
    const owner = { id: 1, label: 'GET /', startedAt: 0, endedAt: 10, marked: false };
    const { nodes } = shape({
      ...group([
        record(2, 'TCPWRAP'),
        record(3, 'Timeout', { slices: [9.9, 12] }),
        record(4, 'Timeout', { slices: [10, 12] }),
        record(5, 'Timeout', { triggerAsyncId: 2, slices: [30, 31] }),
      ]),
      owner,
    });
    assert.deepEqual(
      nodes.map(({ record: { asyncId }, endedAt }) => [asyncId, endedAt]),
      [
        [2, 4],
        [3, 12],
      ],
    );
  });

  it('makes tens of nodes of ten thousand promises and reports how many were folded', () => {
    const records = Array.from({ length: 10_000 }, (_, i) =>
      record(i + 2, i % 1000 === 0 ? 'FSREQPROMISE' : 'PROMISE'),
    );
    const { nodes, folded } = shape(group(records, 7));
    assert.equal(nodes.length, 10);
    assert.equal(folded, 9990 + 7);
  });

  it('keeps the longest nodes when there are too many', () => {
    const records = Array.from({ length: 30 }, (_, i) =>
      record(i + 2, 'ZLIB', { initAt: 0, slices: [i, i + 1] }),
    );
    const { nodes, nodesFolded, folded } = shape(group(records), 10);
    assert.deepEqual(
      nodes.map((node) => node.endedAt),
      [21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
    );
    assert.deepEqual([nodesFolded, folded], [20, 20]);
  });

  it('names types by what they wait for, and operations by their own type', () => {
    const cases: [string, string][] = [
      ['TCPCONNECTWRAP', 'tcp connect'],
      ['PBKDF2REQUEST', 'crypto'],
      ['HTTPCLIENTREQUEST', 'http request'],
      ['FSREQCALLBACK', 'fs'],
      ['pg.pool', 'pg.pool'],
      ['HEAPSNAPSHOT', 'heapsnapshot'],
    ];
    for (const [type, name] of cases) assert.equal(nameOfType(type), name);
  });
});
