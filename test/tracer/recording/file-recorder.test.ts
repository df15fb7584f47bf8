import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { readRecording } from '../../../src/tracer/recording/read.ts';
import { startRecording } from '../../../src/tracer/recording/file-recorder.ts';

describe('FileRecorder', () => {
  let folder: string;
  let server: Server;
  let base: string;
  let files = 0;
  const nextFile = (): string => join(folder, `${++files}.clew`);
  const request = (): Promise<void> =>
    new Promise((resolve) => {
      get(`${base}/orders/42?secret=1`, (response) => response.resume().on('end', resolve));
    });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'clew-recorder-'));
    server = createServer((_request, response) => {
      void (async () => {
        for (let i = 0; i < 10; i++) await Promise.resolve(i);
        await sleep(1);
        response.end();
      })();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(async () => {
    rmSync(folder, { recursive: true });
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('records a number of requests into a compact file and ends by itself', async () => {
    const file = nextFile();
    const ended = new Promise<{ requests: number; bytes: number }>((resolve) => {
      startRecording({ file, requests: 40, onEnd: resolve });
    });
    for (let i = 0; i < 40; i++) await request();
    const { requests, bytes } = await ended;
    assert.equal(requests, 40);
    assert.equal(bytes, statSync(file).size);
    // The client is in the same process and recorded too, so a server alone takes about half.
    assert.ok(bytes / 40 < 5000, `${bytes / 40} bytes per request`);
    const { traces, header, end } = readRecording(file);
    const own = traces.filter((trace) => trace.owner?.label === 'GET /orders/{n}');
    assert.equal(own.length, 40);
    assert.ok(own.every(({ records }) => records.some((record) => record.stack)));
    assert.equal(header.pid, process.pid);
    assert.equal(end?.requests, 40);
    assert.equal(JSON.stringify(traces).includes('secret'), false);
  });

  it('ends after its time', async () => {
    const file = nextFile();
    await new Promise((resolve) => startRecording({ file, forMillis: 20, onEnd: resolve }));
    assert.ok(readRecording(file).end);
  });

  it('never shows its own work', async () => {
    const file = nextFile();
    const recorder = startRecording({ file });
    new AsyncResource('PROBE').emitDestroy();
    recorder.end();
    const types = readRecording(file).traces.flatMap(({ records }) =>
      records.map((one) => one.type),
    );
    assert.ok(types.includes('PROBE'));
    assert.equal(types.includes('ZLIB'), false);
    assert.equal(types.includes('FSREQCALLBACK'), false);
  });

  it('is for its owner only, and overwrites nothing', () => {
    const file = nextFile();
    startRecording({ file }).end();
    assert.equal(statSync(file).mode & 0o077, 0);
    assert.throws(() => startRecording({ file }), { code: 'ERR_OPTION' });
    assert.throws(() => startRecording({ file: join(folder, 'no', 'such') }), /Cannot write/);
  });

  it('leaves a file alone that took the place of its own', () => {
    const file = nextFile();
    const recorder = startRecording({ file });
    rmSync(file);
    writeFileSync(file, 'of somebody else');
    recorder.end();
    assert.equal(readFileSync(file, 'utf8'), 'of somebody else');
  });

  it('stays within its size and counts what it left out', async () => {
    const file = nextFile();
    const recorder = startRecording({ file, maxBytes: 1 });
    for (let i = 0; i < 30; i++) await request();
    await sleep(700);
    recorder.end();
    assert.ok(statSync(file).size < 300_000);
    assert.ok(readRecording(file).end);
  });
});
