import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import sinon from 'sinon';

import { OtlpRelay } from '../../src/cli/demo/otlp-relay.ts';
import type { Trace } from '../../src/viewer/store.ts';
import { otlp, type TestSpan } from '../viewer/support/spans.ts';

describe('OtlpRelay', () => {
  let relay: OtlpRelay;
  let clock: sinon.SinonFakeTimers;

  beforeEach(async () => {
    relay = await OtlpRelay.start();
    clock = sinon.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout'] });
  });

  afterEach(async () => {
    clock.restore();
    await relay.stop();
  });

  const receive = async (...spans: TestSpan[]): Promise<void> => {
    const response = await fetch(`${relay.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(otlp(...spans)),
    });
    assert.equal(response.status, 200);
  };

  /** The sizes of the traces that are shown, once they are. */
  const shown = (count: number): { sizes: number[] | undefined } => {
    const found: { sizes: number[] | undefined } = { sizes: undefined };
    void relay.newTraces(new Set<Trace>(), count).then((traces) => {
      found.sizes = traces.map((trace) => trace.size);
    });
    return found;
  };

  const request: TestSpan = { id: 'a' };
  const query: TestSpan = { id: 'b', parent: 'a' };

  it('waits for the parent that a span names', async () => {
    const found = shown(1);
    await receive(query);
    await clock.tickAsync(9000);
    assert.equal(found.sizes, undefined);
    await receive(request);
    await clock.tickAsync(300);
    assert.deepEqual(found.sizes, [2]);
  });

  it('waits until the collector has what it shows', async () => {
    let answer = (): void => undefined;
    let arrived = (): void => undefined;
    const isThere = new Promise<void>((resolve) => (arrived = resolve));
    const collector = createServer((_request, response) => {
      answer = () => void response.end('{}');
      arrived();
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const { port } = collector.address() as AddressInfo;
    const other = relay;
    relay = await OtlpRelay.start({ forwardTo: `http://127.0.0.1:${port}/v1/traces` });
    await other.stop();
    const found = shown(1);
    const received = receive(request);
    await isThere;
    await clock.tickAsync(5000);
    assert.equal(found.sizes, undefined);
    answer();
    await received;
    await clock.tickAsync(300);
    assert.deepEqual(found.sizes, [1]);
    collector.closeAllConnections();
    collector.close();
  });

  it('waits no longer than ten seconds for a parent that never comes', async () => {
    const found = shown(1);
    await receive(query);
    await clock.tickAsync(10_100);
    assert.deepEqual(found.sizes, [1]);
  });

  it('does not wait for the parent of a span that names none', async () => {
    const found = shown(1);
    await receive({ id: 'b', kind: 3 });
    await clock.tickAsync(300);
    assert.deepEqual(found.sizes, [1]);
  });

  it('waits a moment for what a request that was just answered leaves behind', async () => {
    await receive({ id: 'b', kind: 3 });
    await clock.tickAsync(1000);
    const found = shown(1);
    await clock.tickAsync(200);
    assert.equal(found.sizes, undefined);
    await clock.tickAsync(100);
    assert.deepEqual(found.sizes, [1]);
  });

  it('waits for what a request waited for, where that is shown, and not for long', async () => {
    await relay.stop();
    relay = await OtlpRelay.start({ hasResources: true });
    const early = shown(1);
    await receive(request);
    await clock.tickAsync(900);
    assert.equal(early.sizes, undefined);
    await clock.tickAsync(200);
    assert.deepEqual(early.sizes, [1]);
    const sum = { 'clew.async_resource.count': 40 };
    await receive({ id: 'c', parent: 'a', name: 'async resources', attributes: sum });
    const whole = shown(1);
    await clock.tickAsync(300);
    assert.deepEqual(whole.sizes, [2]);
  });

  it('waits for as many traces as there were requests', async () => {
    await receive(request);
    const found = shown(2);
    await clock.tickAsync(9000);
    assert.equal(found.sizes, undefined);
    await receive({ ...request, trace: 'f1' });
    await clock.tickAsync(300);
    assert.deepEqual(found.sizes, [1, 1]);
  });
});
