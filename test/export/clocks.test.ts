import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import sinon from 'sinon';

import { DeliverySpanProcessor } from '../../src/export/delivery.ts';
import { startReceiver } from '../support/otlp-receiver.ts';
import { endSpans } from './support/spans.ts';

const DAY = 24 * 3600 * 1000;
const SOURCES = fileURLToPath(new URL('../../../src', import.meta.url));

describe('the clocks of the export', () => {
  it('sends on when the wall clock is set back', async () => {
    const receiver = await startReceiver();
    const backoff = { initialMillis: 5, maxMillis: 20 };
    const delivery = new DeliverySpanProcessor({
      url: `${receiver.url}/v1/traces`,
      thread: false,
      scheduleDelayMillis: 10,
      backoff,
    });
    const { now } = Date;
    try {
      receiver.fault = ({ index }) => {
        if (index > 0) return undefined;
        sinon.stub(Date, 'now').callsFake(() => now.call(Date) - DAY);
        return { status: 503 };
      };
      endSpans(delivery, 10);
      await receiver.waitForSpans(10, 10_000);
    } finally {
      sinon.restore();
      await delivery.shutdown();
      await receiver.close();
    }
    assert.equal(receiver.distinct, 10);
  });

  it('takes the wall clock for dates alone, never to measure with', () => {
    // File times, expiries and span starts are dates; the list grows with a reason or not at all.
    const dates = [
      'cli/view/running-viewers.ts',
      'export/sender/http-transport.ts',
      'export/sender/sender-service.ts',
      'export/spool/folder-owner.ts',
      'export/spool/spool-index.ts',
      'instrumentation/http/client/client-call.ts',
      'instrumentation/messaging/messaging-recorder.ts',
      'instrumentation/recorder/recorder.ts',
      'tracer/recording/signed-header.ts',
      'viewer/jaeger/api.ts',
      'viewer/jaeger/query.ts',
    ];
    const found = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => {
      return (
        name.endsWith('.ts') && readFileSync(join(SOURCES, name), 'utf8').includes('Date.now()')
      );
    });
    assert.deepEqual(found.sort(), dates);
  });
});
