// node --import clew/testing --test: both parts of the shop in one process, so that all spans are seen.
// CLEW_CONSUMER_SPAN decides whether an order is one trace or two that are linked.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, it } from 'node:test';

import { traceTest } from 'clew/testing';
import { Client } from 'pg';
import { pino } from 'pino';

import { startServer } from './server.js';
import { settings } from './settings.js';
import { startWorker } from './worker.js';

const isOneTrace = process.env.CLEW_CONSUMER_SPAN === 'child';
const lines = [];
let server;
let worker;

before(async () => {
  const client = new Client({ connectionString: settings.databaseUrl });
  await client.connect();
  try {
    await client.query(readFileSync(new URL('schema.sql', import.meta.url), 'utf8'));
  } finally {
    await client.end();
  }
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
  const queueName = `orders-test-${process.pid}`;
  server = await startServer({ ...settings, queueName, port: 0, log });
  worker = await startWorker({ ...settings, queueName, log });
});
after(async () => {
  await server?.close();
  await worker?.close();
});

/** The trace of one order, to the end of its job. */
function order(path, event) {
  lines.length = 0;
  return traceTest('order', async () => {
    const ended = once(worker.worker, event);
    const response = await fetch(`${server.url}${path}`, { method: 'POST' });
    assert.equal(response.status, 202, await response.text());
    await ended;
  });
}

/** The spans of the queue, the one below the other or linked to it. */
function queueSpansOf(trace) {
  const sent = trace.find(/^send /);
  const processed = trace.find(/^process /);
  trace.hasSpan({ name: /^send /, kind: 'producer', parent: 'POST' });
  if (isOneTrace) {
    trace.hasOneRoot('order').hasSpan({ name: /^process /, kind: 'consumer', parent: sent.name });
    assert.deepEqual(processed.links, []);
  } else {
    assert.equal(processed.parentSpanId, undefined);
    assert.notEqual(processed.traceId, sent.traceId);
    assert.deepEqual(processed.links, [{ traceId: sent.traceId, spanId: sent.spanId }]);
  }
  return processed;
}

function assertLine(message, { traceId, spanId }) {
  const line = lines.find(({ msg }) => msg === message);
  assert.deepEqual([line?.trace_id, line?.span_id], [traceId, spanId], message);
}

void it('an order is traced from the request to the database', async () => {
  const trace = await order('/orders/1/2', 'completed');
  trace.hasNoErrors().hasNoOrphans().hasNoOpenSpans();
  const processed = queueSpansOf(trace);
  trace.hasSpansInOrder([/^send /, /^process /, 'UPDATE products', 'INSERT orders', 'COMMIT']);
  for (const name of ['BEGIN', 'UPDATE products', 'INSERT orders', 'COMMIT']) {
    trace.hasSpan({ name, kind: 'client', parent: processed.name });
  }
  assertLine(
    'order queued',
    trace.spans.find(({ kind }) => kind === 'server'),
  );
  assertLine('order placed', processed);
});

void it('an order that fails shows the error in the span of its job', async () => {
  const trace = await order('/orders/2/1', 'failed');
  const processed = queueSpansOf(trace);
  assert.equal(processed.status, 'error');
  trace.hasSpan({ name: 'ROLLBACK', parent: processed.name }).hasNoSpan('COMMIT');
  assertLine('order failed', processed);
});
