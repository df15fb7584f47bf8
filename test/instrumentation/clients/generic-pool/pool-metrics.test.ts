import assert from 'node:assert/strict';

import type { Histogram } from '@opentelemetry/sdk-metrics';
import genericPool from 'generic-pool';
import { Pool as TarnPool } from 'tarn';
import * as tarn from 'tarn';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { asCaller, caller } from '../../support/callers.ts';
import { registerTelemetry } from '../../support/telemetry.ts';
import { registerMeasurements, type Measure } from '../../support/measurements.ts';

const NAME = 'db.client.connection.pool.name';

/** A pool of one or the other kind, as the test uses it. */
interface Used {
  acquire(): PromiseLike<object>;
  release(resource: object): unknown;
}

/** Who was the caller of each factory that made a resource. */
const makers: string[] = [];
const create = async (): Promise<object> => {
  makers.push(caller());
  return {};
};

const KINDS: Record<string, { exports: unknown; open: (acquireTimeoutMillis?: number) => Used }> = {
  'generic-pool': {
    exports: genericPool,
    open: (acquireTimeoutMillis = 30_000) =>
      genericPool.createPool(
        { create, destroy: async () => undefined },
        { max: 1, acquireTimeoutMillis },
      ),
  },
  tarn: {
    exports: tarn,
    open: (acquireTimeoutMillis = 30_000) => {
      const pool = new TarnPool<object>({
        create,
        destroy: () => undefined,
        min: 0,
        max: 1,
        acquireTimeoutMillis,
      });
      return { acquire: () => pool.acquire().promise, release: (one) => pool.release(one) };
    },
  },
};

for (const [kind, { exports, open }] of Object.entries(KINDS)) {
  describe(`${kind} metrics`, () => {
    let measure: Measure;
    let instrumentation: Instrumentation;

    beforeEach(() => {
      measure = registerMeasurements();
      [instrumentation] = getInstrumentations().filter(
        ({ instrumentationName }) => instrumentationName === `clew/${kind}`,
      ) as [Instrumentation];
      instrumentation.enable();
      instrumentation.instrument(exports);
    });

    afterEach(() => instrumentation.disable());

    it('shows who waits, and how long was waited and used', async () => {
      const pool = open();
      const resource = await pool.acquire();
      const waiting = pool.acquire();
      const [pending] = await measure('db.client.connection.pending_requests');
      assert.equal(pending?.value, 1);
      assert.deepEqual(pending?.attributes, { [NAME]: kind });
      await pool.release(resource);
      await pool.release(await waiting);
      for (const metric of ['wait_time', 'use_time']) {
        const [point] = await measure(`db.client.connection.${metric}`);
        assert.equal((point?.value as Histogram | undefined)?.count, 2, metric);
      }
      const counts = await measure('db.client.connection.count');
      assert.deepEqual(
        counts.map(({ attributes, value }) => [attributes['db.client.connection.state'], value]),
        [
          ['used', 0],
          ['idle', 1],
        ],
      );
      const [max] = await measure('db.client.connection.max');
      assert.equal(max?.value, 1);
    });

    it('has factories run outside of every request', async () => {
      registerTelemetry();
      makers.length = 0;
      const pool = open();
      await asCaller('a', async () => {
        await pool.release(await pool.acquire());
        assert.equal(caller(), 'a');
      });
      assert.deepEqual(makers, ['nobody']);
    });

    it('counts those who gave up waiting', async () => {
      // Long enough for the first on a busy machine.
      const pool = open(500);
      const resource = await pool.acquire();
      await assert.rejects(Promise.resolve(pool.acquire()));
      const [timeouts] = await measure('db.client.connection.timeouts');
      assert.equal(timeouts?.value, 1);
      await pool.release(resource);
    });
  });
}
