import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, get as httpGet, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';

import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';
import { runUntraced } from '../../src/tracer/owner.ts';
import type { AsyncTrace, TracerLevel } from '../../src/tracer/record.ts';

describe('AsyncResourceTracer', () => {
  let tracer: AsyncResourceTracer | undefined;
  let server: Server | undefined;
  const traces: AsyncTrace[] = [];

  beforeEach(() => void (traces.length = 0));

  afterEach(async () => {
    tracer?.stop();
    tracer = undefined;
    if (!server) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    server = undefined;
  });

  const start = (
    level: Exclude<TracerLevel, 'off'>,
    options: ConstructorParameters<typeof AsyncResourceTracer>[0] = {},
  ): AsyncResourceTracer => {
    tracer = new AsyncResourceTracer({ onTrace: (trace) => traces.push(trace), ...options });
    return tracer.start(level);
  };
  const serve = async (listener: RequestListener): Promise<string> => {
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const get = (url: string): Promise<void> =>
    new Promise((resolve, reject) => {
      httpGet(url, (response) => response.resume().on('end', resolve)).on('error', reject);
    });
  const records = (): AsyncTrace['records'] => traces.flatMap((trace) => trace.records);
  const ofRequest = (label: string): AsyncTrace[] =>
    traces.filter((trace) => trace.owner?.label === label);

  it('hands out one group per request, never mixed, with what happened in it', async () => {
    const base = await serve((request, response) => {
      void readFile('/etc/hosts').then(async () => {
        new AsyncResource(`WORK_OF_${request.url}`).emitDestroy();
        await sleep(1);
        response.end();
      });
    });
    start('trace');
    await Promise.all(['/a', '/b', '/c'].map((path) => get(base + path)));
    tracer?.stop();
    for (const path of ['/a', '/b', '/c']) {
      const [trace, ...rest] = ofRequest(`GET ${path}`);
      assert.deepEqual(rest, []);
      const types = trace?.records.map((record) => record.type) ?? [];
      assert.deepEqual(
        types.filter((type) => type.startsWith('WORK')),
        [`WORK_OF_${path}`],
      );
      for (const type of [/^FSREQ/, /^Timeout$/, /^PROMISE$/]) {
        assert.ok(types.some((one) => type.test(one)));
      }
      assert.ok(trace && trace.endedAt > trace.startedAt);
      assert.equal(trace.root.type, 'HTTPINCOMINGMESSAGE');
    }
  });

  it('distinguishes requests on one kept-alive connection', async () => {
    const base = await serve((_request, response) => {
      setImmediate(() => response.end());
    });
    start('trace');
    const { Agent, get: getWith } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/one', '/two']) {
      await new Promise((resolve) => {
        getWith(base + path, { agent }, (response) => response.resume().on('end', resolve));
      });
    }
    agent.destroy();
    tracer?.stop();
    for (const label of ['GET /one', 'GET /two']) {
      const immediates = ofRequest(label).flatMap((trace) =>
        trace.records.filter((record) => record.type === 'Immediate'),
      );
      assert.equal(immediates.length, 1, label);
    }
  });

  it('counts the pieces of a body as work of their request', async () => {
    const base = await serve((request, response) => {
      request.on('data', () => new AsyncResource('IN_BODY').emitDestroy());
      request.on('end', () => response.end());
    });
    start('trace');
    await fetch(`${base}/upload`, { method: 'POST', body: 'x'.repeat(300_000) });
    tracer?.stop();
    const inBody = records().filter((record) => record.type === 'IN_BODY');
    assert.ok(inBody.length > 0);
    const [upload] = ofRequest('POST /upload');
    assert.ok(inBody.every((record) => upload?.records.includes(record)));
  });

  it('does what on-async-hook promised in five lines, for work of no request too', async () => {
    start('trace');
    const outer = new AsyncResource('JOB');
    await outer.runInAsyncScope(async () => {
      await immediate();
      new AsyncResource('STEP').emitDestroy();
    });
    outer.emitDestroy();
    tracer?.stop();
    const job = traces.find((trace) => trace.records.some((record) => record.type === 'JOB'));
    assert.ok(job);
    assert.ok(job.records.some((record) => record.type === 'STEP'));
    assert.ok(job.records.every((record) => record.initAt >= job.startedAt));
  });

  it('records every event of a life at level deep, with the line that created it', async () => {
    start('deep');
    const resource = new AsyncResource('PROBE', { requireManualDestroy: true });
    resource.runInAsyncScope(() => undefined);
    resource.runInAsyncScope(() => undefined);
    const resolved = Promise.resolve();
    await resolved.then(() => undefined);
    resource.emitDestroy();
    await immediate();
    tracer?.stop();
    const probe = records().find((record) => record.type === 'PROBE');
    assert.equal(probe?.slices.length, 4);
    assert.ok(probe.destroyedAt !== undefined && probe.destroyedAt >= (probe.slices[3] ?? 0));
    assert.match(probe.stack?.[0] ?? '', /async-resource-tracer\.test/);
    assert.equal(probe.executionAsyncId > 0, true);
    assert.ok(records().some((record) => record.type === 'PROMISE' && record.resolvedAt));
  });

  it('makes no records at level watch, except for the request that is picked', async () => {
    const base = await serve((_request, response) => void sleep(1).then(() => response.end()));
    start('watch', {
      onRequestStart: (owner) => {
        if (owner.label === 'GET /picked') tracer?.traceOwner(owner);
      },
    });
    await Promise.all([get(`${base}/picked`), get(`${base}/other`)]);
    tracer?.stop();
    assert.deepEqual(
      traces.map((trace) => trace.owner?.label),
      ['GET /picked'],
    );
    assert.ok(records().some((record) => record.type === 'PROMISE'));
  });

  it('asks once per request which work is recorded', async () => {
    const base = await serve((_request, response) => response.end());
    start('trace', { select: (owner) => owner?.label === 'GET /yes' });
    await get(`${base}/yes`);
    await get(`${base}/no`);
    tracer?.stop();
    assert.deepEqual(
      traces.map((trace) => trace.owner?.label),
      ['GET /yes'],
    );
  });

  it('shows what was born before a level was raised as such, and blames it on no request', async () => {
    const early = new AsyncResource('EARLY', { requireManualDestroy: true });
    start('trace');
    early.runInAsyncScope(() => new AsyncResource('LATE').emitDestroy());
    tracer?.stop();
    const seen = records().find((record) => record.asyncId === early.asyncId());
    assert.equal(seen?.bornBefore, true);
    const late = records().find((record) => record.type === 'LATE');
    assert.deepEqual([late?.triggerAsyncId, late?.bornBefore], [early.asyncId(), false]);
    assert.ok(traces.every((trace) => trace.owner === undefined));
  });

  it('changes its level inside a callback, with slices open, without harm', async () => {
    start('watch');
    const levels: TracerLevel[] = [
      'trace',
      'deep',
      'watch',
      'off',
      'deep',
      'off',
      'trace',
      'watch',
    ];
    const resource = new AsyncResource('OPEN', { requireManualDestroy: true });
    for (const level of levels) {
      resource.runInAsyncScope(() => void tracer?.setLevel(level));
      await sleep(1);
      await immediate();
      assert.equal(tracer?.level, level);
    }
    for (const { slices } of records()) {
      assert.deepEqual(
        slices,
        [...slices].sort((a, b) => a - b),
      );
    }
  });

  it('leaves its own work out: listeners, timers and what runUntraced() runs', async () => {
    start('deep', {
      idleMillis: 20,
      onTrace: (trace) => {
        traces.push(trace);
        void readFile('/etc/hosts').then(() => new AsyncResource('FROM_LISTENER').emitDestroy());
      },
    });
    runUntraced(() => void sleep(1).then(() => new AsyncResource('QUIET').emitDestroy()));
    new AsyncResource('LOUD').emitDestroy();
    for (let round = 0; round < 3; round++) {
      await sleep(10);
      tracer?.flush(true);
    }
    tracer?.stop();
    const types = records().map((record) => record.type);
    assert.ok(types.includes('LOUD'));
    assert.deepEqual(
      types.filter((type) => type === 'QUIET' || type === 'FROM_LISTENER'),
      [],
    );
  });

  it('goes on when a listener throws', async () => {
    start('trace', {
      onTrace: () => {
        throw new Error('planted');
      },
    });
    new AsyncResource('A').emitDestroy();
    tracer?.flush(true);
    tracer?.onTrace((trace) => traces.push(trace));
    new AsyncResource('B').emitDestroy();
    tracer?.flush(true);
    assert.ok(records().some((record) => record.type === 'B'));
  });

  it('reports a request that was cut off, too', async () => {
    const reports: string[] = [];
    const base = await serve(() => undefined);
    start('watch', { idleMillis: 20, onRequest: ({ label }) => reports.push(label) });
    const request = httpGet(`${base}/never`).on('error', () => undefined);
    if (server) await once(server, 'request');
    request.destroy();
    while (reports.length === 0) await sleep(5);
    assert.deepEqual(reports, ['GET /never']);
    assert.equal(tracer?.stats().requests, 0);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const before = process.listenerCount('exit');
    const base = await serve((_request, response) => response.end());
    start('deep');
    await get(base);
    tracer?.stop();
    const stats = tracer?.stats();
    assert.deepEqual([stats?.records, stats?.groups, stats?.waiting, stats?.origins], [0, 0, 0, 0]);
    assert.equal(process.listenerCount('exit'), before);
    traces.length = 0;
    new AsyncResource('AFTERWARDS').emitDestroy();
    await get(base);
    assert.deepEqual(traces, []);
  });

  it('reports which option is wrong', () => {
    assert.throws(() => new AsyncResourceTracer({ maxRecords: 0 }), { code: 'ERR_OPTION' });
    assert.throws(() => new AsyncResourceTracer({ idleMillis: Number.NaN }), /idleMillis/);
    assert.throws(() => new AsyncResourceTracer({ level: 'loud' as 'deep' }), /level/);
    assert.throws(() => new AsyncResourceTracer().setLevel('loud' as 'off'), /loud/);
  });
});
