import assert from 'node:assert/strict';

import sinon from 'sinon';

import { OtlpRelay } from '../../src/cli/demo/otlp-relay.ts';
import type { OtlpSpan } from '../../src/viewer/otlp.ts';
import type { Trace } from '../../src/viewer/trace.ts';

const SERVER = 2;
const CLIENT = 3;

const span = (spanId: string, kind: number, parentSpanId?: string): OtlpSpan => ({
  traceId: 't',
  spanId,
  name: spanId,
  kind,
  startTimeUnixNano: '1000000000000000000',
  endTimeUnixNano: '1000000000012345678',
  ...(parentSpanId ? { parentSpanId } : {}),
});

describe('OtlpRelay', () => {
  let relay: OtlpRelay;
  let clock: sinon.SinonFakeTimers;

  beforeEach(async () => {
    relay = await OtlpRelay.start(undefined);
    clock = sinon.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout'] });
  });

  afterEach(async () => {
    clock.restore();
    await relay.stop();
  });

  const receive = async (...spans: OtlpSpan[]): Promise<void> => {
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    const response = await fetch(`${relay.url}/v1/traces`, { method: 'POST', body });
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

  it('waits for the parent that a span names', async () => {
    const found = shown(1);
    await receive(span('query', CLIENT, 'request'));
    await clock.tickAsync(9000);
    assert.equal(found.sizes, undefined);
    await receive(span('request', SERVER));
    await clock.tickAsync(300);
    assert.deepEqual(found.sizes, [2]);
  });

  it('waits no longer than ten seconds for a parent that never comes', async () => {
    const found = shown(1);
    await receive(span('query', CLIENT, 'request'));
    await clock.tickAsync(10_100);
    assert.deepEqual(found.sizes, [1]);
  });

  it('does not wait for the parent of a span that names none', async () => {
    const found = shown(1);
    await receive(span('query', CLIENT));
    await clock.tickAsync(300);
    assert.deepEqual(found.sizes, [1]);
  });

  it('waits a moment for what a request that was just answered leaves behind', async () => {
    await receive(span('query', CLIENT));
    await clock.tickAsync(1000);
    const found = shown(1);
    await clock.tickAsync(200);
    assert.equal(found.sizes, undefined);
    await clock.tickAsync(100);
    assert.deepEqual(found.sizes, [1]);
  });

  it('waits for as many traces as there were requests', async () => {
    await receive(span('request', SERVER));
    const found = shown(2);
    await clock.tickAsync(9000);
    assert.equal(found.sizes, undefined);
    await receive({ ...span('request', SERVER), traceId: 'u' });
    await clock.tickAsync(300);
    assert.deepEqual(found.sizes, [1, 1]);
  });
});
