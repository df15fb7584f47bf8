import assert from 'node:assert/strict';

import { trace } from '@opentelemetry/api';
import type { Job, Processor, Queue } from 'bullmq';

import { MESSAGING } from '../../../../src/instrumentation/messaging/index.ts';
import { MessagingInstrumentation } from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { assertNoDifference } from '../../support/differential.ts';
import { ended } from './setup.ts';
import { VERSIONS, type BullMQ } from './setup.ts';

/* What an application sees of BullMQ is the same with spans as without: data, results and events. */

for (const [version, bullmq] of Object.entries(VERSIONS)) {
  describe(`${version} with spans as without`, function () {
    this.timeout(120_000);
    let connection: object;
    let runs = 0;

    before(async function () {
      const { hostname: host, port } = new URL(await requireService(this, 'redis'));
      connection = { host, port: Number(port), maxRetriesPerRequest: null };
    });

    const instrumentation = () => {
      const ours = new MessagingInstrumentation(MESSAGING.bullmq);
      let undo = (): void => undefined;
      return {
        enable: () => {
          undo = ours.instrument(bullmq);
        },
        disable: () => undo(),
      };
    };

    /** What a queue and its worker tell while `produce` is at work, in the order of each job. */
    const scenario =
      (
        produce: (queue: Queue, bullmq: BullMQ) => Promise<unknown>,
        jobs: number,
        work: Processor,
      ) =>
      async (): Promise<unknown> => {
        const queue = new bullmq.Queue(`clew-${process.pid}-same-${runs++}`, { connection });
        const events: Record<string, unknown[]> = {};
        const note = (job: Job | undefined, ...event: unknown[]): void => {
          (events[job?.name ?? 'none'] ??= []).push(event);
        };
        queue.on('waiting', (job: Job) => note(job, 'waiting'));
        try {
          const produced = await produce(queue, bullmq);
          if (jobs > 0) {
            const worker = new bullmq.Worker(queue.name, work, { connection, concurrency: 1 });
            worker.on('active', (job: Job) => note(job, 'active'));
            worker.on('progress', (job: Job, progress: unknown) => note(job, 'progress', progress));
            worker.on('completed', (job: Job, result: unknown) => note(job, 'completed', result));
            worker.on('failed', (job, error) => note(job, 'failed', error.message));
            let left = jobs;
            await new Promise<void>((resolve) => {
              const count = (): void => {
                if (--left === 0) resolve();
              };
              worker.on('completed', count);
              worker.on('failed', count);
            });
            await worker.close();
          }
          const stored = await queue.getJobs();
          return { produced, events, stored: stored.map(visible).sort() };
        } finally {
          await queue.obliterate({ force: true });
          await queue.close();
        }
      };

    it('has the same jobs, results and events', async () => {
      const spans = await assertNoDifference(
        scenario(
          async (queue) => {
            const added = [await queue.add('one', { n: 1 }, { attempts: 2 })];
            added.push(await queue.add('two', null, { jobId: 'mine' }));
            added.push(...(await queue.addBulk([{ name: 'three', data: [3] }])));
            return added.map(visible);
          },
          4,
          async (job: Job) => {
            await job.updateProgress(50);
            await job.log('at work');
            if (job.name === 'one' && job.attemptsMade === 0) throw new Error('once more');
            return { data: job.data as unknown };
          },
        ),
        instrumentation(),
      );
      assert.equal(spans, 7);
    });

    it('has the same errors of bad calls', async () => {
      const spans = await assertNoDifference(
        scenario(
          async (queue, { FlowProducer }) => {
            const flows = new FlowProducer({ connection });
            const circular: Record<string, unknown> = { name: 'a', queueName: queue.name };
            circular['self'] = circular;
            const hostile = {
              get telemetry(): never {
                throw new Error('hands off');
              },
            };
            const calls: (() => unknown)[] = [
              () => queue.add('a', circular),
              () => queue.add('a', {}, { jobId: '0' }),
              () => queue.add('a', {}, 'text' as never),
              () => queue.add('a', {}, hostile),
              () => queue.add(undefined as never, undefined),
              () => queue.addBulk(5 as never),
              () => queue.addBulk([undefined] as never),
              () => flows.add(null as never),
              () => flows.add({ name: 'a', queueName: queue.name, data: circular }),
              () => flows.addBulk('flows' as never),
            ];
            const outcomes: unknown[] = [];
            for (const call of calls) outcomes.push(await outcomeOf(call));
            await flows.close();
            return outcomes;
          },
          0,
          () => Promise.resolve(),
        ),
        instrumentation(),
      );
      assert.ok(spans > 0);
    });

    it('leaves a rejection unhandled that the application does not handle', async () => {
      await assertNoDifference(
        scenario(
          async (queue) => {
            void queue.add('a', {}, { jobId: '0' });
            await new Promise((resolve) => setTimeout(resolve, 20));
          },
          0,
          () => Promise.resolve(),
        ),
        instrumentation(),
      );
    });

    it('has no listener of ours where an application looks for its own', async () => {
      const ours = instrumentation();
      ours.enable();
      const worker = new bullmq.Worker(
        `clew-${process.pid}-same-${runs++}`,
        async () => undefined,
        {
          connection,
        },
      );
      const listener = (): void => undefined;
      worker.on('completed', listener);
      assert.deepEqual(worker.listeners('completed'), [listener]);
      worker.off('completed', listener);
      assert.equal(worker.listenerCount('completed'), 0);
      const done = ended(worker, 1);
      void done;
      await worker.close();
      ours.disable();
      assert.equal(trace.getActiveSpan(), undefined);
    });
  });
}

/** What an application sees of a job, but for times, ids that are made up, and the context. */
function visible(job: Job): string {
  const { telemetry: _, ...opts } = job.opts as Record<string, unknown>;
  const { id, name, data, returnvalue, failedReason, attemptsMade, progress } = job;
  const known = /^(?:mine|\d+)$/.test(id ?? '') ? id : 'made up';
  delete opts['timestamp'];
  return JSON.stringify({
    id: known,
    name,
    data: data as unknown,
    returnvalue: returnvalue as unknown,
    failedReason,
    attemptsMade,
    progress,
    opts,
  });
}

async function outcomeOf(call: () => unknown): Promise<unknown> {
  let isSync = true;
  try {
    const promise = call();
    isSync = false;
    await promise;
    return 'done';
  } catch (error) {
    const { name, message } = error as Error;
    return { isSync, name, message };
  }
}
