import assert from 'node:assert/strict';

import { viewRecording } from '../../../src/cli/view/recording.ts';
import { describeFinding } from '../../../src/cli/view/findings.ts';
import type { AsyncTrace } from '../../../src/tracer/record.ts';
import { wholeRequests } from '../../../src/tracer/recording/whole-requests.ts';
import { Viewer } from '../../../src/viewer/viewer.ts';

const group = (owner: AsyncTrace['owner'], startedAt: number, endedAt: number): AsyncTrace => ({
  root: { asyncId: 2, type: 'unknown' },
  ...(owner ? { owner } : {}),
  startedAt,
  endedAt,
  records: [
    {
      asyncId: startedAt + 10,
      type: 'TCPWRAP',
      triggerAsyncId: 2,
      executionAsyncId: 2,
      initAt: startedAt,
      slices: [startedAt, startedAt + 1],
      slicesDropped: 0,
      destroyedAt: endedAt,
      bornBefore: false,
    },
  ],
  endedBy: 'idle',
  dropped: 1,
});

describe('the requests of a recording', () => {
  const owner = { id: 1, label: 'GET /job', startedAt: 100, marked: false };
  const before = { id: 2, label: 'GET /before', startedAt: 10, endedAt: 20, marked: false };
  const groups = [
    group(owner, 100, 130),
    group(undefined, 90, 900),
    group(before, 200, 201),
    group({ ...owner, endedAt: 131 }, 420, 420.3),
  ];
  const traces = wholeRequests(groups, 50);

  it('are whole, however many groups they were recorded in', () => {
    assert.equal(traces.length, 3);
    const [request] = traces;
    assert.deepEqual(
      [request?.startedAt, request?.owner?.endedAt, request?.records.length, request?.dropped],
      [100, 131, 2, 2],
    );
    assert.deepEqual(traces[2]?.root, { asyncId: 2, type: 'request', description: 'GET /before' });
  });

  it('are listed alone, and as long as they took', () => {
    const header = {
      node: '',
      pid: 1,
      timeOrigin: 0,
      program: 'app',
      startedAt: 50,
      level: 'deep',
    };
    const viewer = new Viewer({
      source: { kind: 'file', name: '' },
      version: '1',
      describeFinding,
    });
    viewer.add(viewRecording({ version: 1, header, traces }).spans);
    const { requests, outside } = viewer.requests(new URLSearchParams({ outside: 'false' }));
    assert.deepEqual(
      requests.map(({ name, durationMs }) => [name, durationMs]),
      [['GET /job', 31]],
    );
    assert.equal(outside, 2);
    const { requests: all } = viewer.requests();
    assert.ok(all.some(({ name }) => name === 'work of no request'));
  });
});
