import assert from 'node:assert/strict';

import { BullMQOtel } from 'bullmq-otel';

import { activeTrace, inSpan } from '../spans.ts';
import { describeVersions, ended } from './setup.ts';

/** The first versions have none of their own. */
const hasTelemetry = (version: string): boolean => version !== 'bullmq 5.0';

describeVersions(
  'bullmq-otel beside us',
  (make) => {
    const telemetry = (): BullMQOtel => new BullMQOtel({ tracerName: 'theirs' });

    it('makes all spans where it is given', async () => {
      const bench = make({ consumerSpan: 'child' });
      const queue = bench.queue({ telemetry: telemetry() });
      const worker = bench.worker(queue, () => activeTrace(), { telemetry: telemetry() });
      const done = ended(worker);
      const job = await inSpan('request', () => queue.add('a', {}));
      await done;
      const scopes = new Set(
        bench.telemetry.spans().map(({ instrumentationScope }) => instrumentationScope.name),
      );
      assert.deepEqual([...scopes].sort(), ['app', 'theirs']);
      assert.ok((await queue.getJob(job.id ?? ''))?.returnvalue);
    });

    it('reads what our producers send', async () => {
      const bench = make();
      const queue = bench.queue();
      const worker = bench.worker(queue, () => activeTrace(), { telemetry: telemetry() });
      const done = ended(worker);
      const job = await inSpan('request', () => queue.add('a', {}));
      await done;
      const request = bench.telemetry.spans().find(({ name }) => name === 'request');
      const stored = await queue.getJob(job.id ?? '');
      assert.equal(stored?.returnvalue, request?.spanContext().traceId);
      // Its span may end after the job.
      while (bench.processed.length === 0) await new Promise(setImmediate);
      assert.equal(bench.processed.length, 1);
    });

    it('sends what our workers read', async () => {
      const bench = make({ consumerSpan: 'child' });
      const queue = bench.queue({ telemetry: telemetry() });
      const worker = bench.worker(queue, () => activeTrace());
      const done = ended(worker);
      const job = await inSpan('request', () => queue.add('a', {}));
      await done;
      const request = bench.telemetry.spans().find(({ name }) => name === 'request');
      const stored = await queue.getJob(job.id ?? '');
      assert.equal(stored?.returnvalue, request?.spanContext().traceId);
      while (bench.processed.length === 0) await new Promise(setImmediate);
      assert.deepEqual(
        bench.processed.map(({ instrumentationScope }) => instrumentationScope.name),
        ['clew/bullmq'],
      );
    });
  },
  hasTelemetry,
);
