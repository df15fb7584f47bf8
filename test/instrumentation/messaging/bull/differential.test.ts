import { createRequire } from 'node:module';

import { propagation } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import Bull, { type Job, type JobOptions } from 'bull';

import { MESSAGING } from '../../../../src/instrumentation/messaging/index.ts';
import { MessagingInstrumentation } from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { assertNoDifference, describeError } from '../../support/differential.ts';

/* What an application sees of Bull is the same with spans as without: data, results, events, errors. */

// It has no types of its own.
const Bull40 = createRequire(import.meta.url)('bull-4.0') as typeof Bull;

for (const [version, Queue] of Object.entries({ 'bull 4': Bull, 'bull 4.0': Bull40 })) {
  describe(`${version} with spans as without`, function () {
    this.timeout(120_000);
    let redis: { host: string; port: number };
    let runs = 0;

    before(async function () {
      const { hostname: host, port } = new URL(await requireService(this, 'redis'));
      redis = { host, port: Number(port) };
    });
    beforeEach(() => {
      propagation.disable();
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    });

    const instrumentation = () => {
      const ours = new MessagingInstrumentation(MESSAGING.bull);
      let undo = (): void => undefined;
      return {
        enable: () => {
          undo = ours.instrument(Queue);
        },
        disable: () => undo(),
      };
    };

    /** Hands a queue to `use`, and to nothing after it. */
    const withQueue = (use: (queue: Bull.Queue) => Promise<unknown>) => async () => {
      const queue = new Queue(`clew-${process.pid}-bull-${runs++}`, { redis });
      try {
        return await use(queue);
      } finally {
        await queue.obliterate({ force: true });
        await queue.close(true);
      }
    };

    it('has the same jobs, results and events', async () => {
      const scenario = withQueue(async (queue) => {
        const events: Record<string, unknown[]> = {};
        const note = (job: Job, ...event: unknown[]): void => {
          (events[job.name] ??= []).push(event);
        };
        queue.on('active', (job: Job, promise: unknown) => note(job, 'active', typeof promise));
        queue.on('progress', (job: Job, progress: unknown) => note(job, 'progress', progress));
        let left = 7;
        const ended = new Promise<void>((resolve) => {
          const count = (): void => void (--left === 0 && resolve());
          queue.on('completed', (job: Job, result: unknown) => {
            note(job, 'completed', result);
            count();
          });
          queue.on('failed', (job: Job, error: unknown) => {
            note(job, 'failed', describeError(error), job.attemptsMade);
            count();
          });
        });
        const shape = [
          queue.add.length,
          queue.addBulk.length,
          queue.process.length,
          Object.keys(queue).sort(),
        ];
        const data = Object.freeze({ n: 1, nested: Object.freeze([null, 'x']) });
        const added = [
          await queue.add('promise', data, Object.freeze({ attempts: 2, backoff: 5 })),
          await queue.add('callback', data),
          await queue.add('thrown', 7),
          ...(await queue.addBulk([
            { name: 'bulk 1', data: 1 },
            { name: 'bulk 2', data: 2, opts: { priority: 1, removeOnComplete: true } },
          ])),
        ];
        await queue.add(data, { delay: 1 });
        void queue.process('promise', async function (this: unknown, job: Job) {
          note(job, 'called', typeof this, Object.isFrozen(job.data), job.data);
          await job.progress(50);
          if (job.attemptsMade === 0) throw new RangeError('not yet');
          return { done: true };
        });
        void queue.process('callback', (job, done) => {
          note(job, 'called', done.length);
          setTimeout(done, 1, null, 'called back');
        });
        void queue.process('thrown', () => {
          throw new TypeError('at once');
        });
        for (const name of ['bulk 1', 'bulk 2']) {
          void queue.process(name, ({ data: own }) => Promise.resolve(own as number));
        }
        void queue.process((job) => Promise.resolve(job.id === undefined));
        await ended;
        const stored = await queue.getJobs(['completed', 'failed', 'delayed', 'waiting']);
        return { shape, added: added.map(visible), stored: stored.map(visible).sort(), events };
      });
      await assertNoDifference(scenario, instrumentation());
    });

    it('has the same errors of bad calls', async () => {
      const scenario = withQueue(async (queue) => {
        const seen: unknown[] = [];
        const attempt = async (name: string, fn: () => unknown): Promise<void> => {
          try {
            const result: unknown = fn();
            seen.push([name, result instanceof Promise, typeof (await result)]);
          } catch (error) {
            seen.push([name, describeError(error)]);
          }
        };
        const circle: Record<string, unknown> = {};
        circle['itself'] = circle;
        const hostile = new Proxy<JobOptions>(
          {},
          {
            get: () => {
              throw new Error('hands off');
            },
          },
        );
        void queue.process('taken', async () => undefined);
        await attempt('process twice', () => queue.process('taken', async () => undefined));
        await attempt('process nothing', () => queue.process(undefined as never));
        await attempt('no file', () => queue.process('file', '/no/such/file.js'));
        await attempt('add nothing', () => queue.add(undefined as never));
        await attempt('add a circle', () => queue.add(circle));
        await attempt('bad options', () => queue.add('x', {}, 7 as never));
        await attempt('options of null', () => queue.add('x', {}, null as never));
        await attempt('hostile options', () => queue.add('x', {}, hostile));
        await attempt('bad repeat', () => queue.add('x', {}, { repeat: { cron: 'never' } }));
        await attempt('bad telemetry', () => queue.add('x', {}, { telemetry: 7 } as never));
        await attempt('bulk of nothing', () => queue.addBulk(undefined as never));
        await attempt('bulk of null', () => queue.addBulk([null as never]));
        return seen;
      });
      await assertNoDifference(scenario, instrumentation());
    });

    it('leaves a rejection unhandled that the application does not handle', async () => {
      const scenario = withQueue(async (queue) => {
        const circle: Record<string, unknown> = {};
        circle['itself'] = circle;
        void queue.add(circle);
        await new Promise((resolve) => setTimeout(resolve, 20));
      });
      await assertNoDifference(scenario, instrumentation());
    });
  });
}

/** A job as JSON, without what is new with each run and what carries the trace. */
function visible({ name, data, opts, returnvalue, failedReason, attemptsMade }: Job): string {
  const { telemetry: _carried, timestamp: _at, ...others } = opts as Record<string, unknown>;
  const result = returnvalue as unknown;
  return JSON.stringify({
    name,
    data: data as unknown,
    opts: others,
    result,
    failedReason,
    attemptsMade,
  });
}
