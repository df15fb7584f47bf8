import assert from 'node:assert/strict';

import {
  context,
  INVALID_SPAN_CONTEXT,
  metrics,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { MemcachedInstrumentation } from '@opentelemetry/instrumentation-memcached';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { MySQLInstrumentation } from '@opentelemetry/instrumentation-mysql';
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis';

import { startCollecting } from '../../../src/async/collecting.ts';
import { resolveClientConfig } from '../../../src/instrumentation/client-config.ts';
import { CLIENT_NAMES, CLIENTS, getInstrumentations } from '../../../src/instrumentation/index.ts';
import { byClass, type Operation } from '../../../src/instrumentation/operation.ts';
import { createEndpoint } from '../../../src/instrumentation/recorder/endpoint.ts';
import { Recorder } from '../../../src/instrumentation/recorder/recorder.ts';
import { readRequireParent, requiresParent } from '../../../src/instrumentation/require-parent.ts';
import { registerMeasurements } from '../support/measurements.ts';
import { registerTelemetry, type Telemetry } from '../support/telemetry.ts';

const PARENT = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
};
const OPERATION: Operation = {
  endpoint: createEndpoint({ system: 'redis' }),
  name: 'get',
  safeText: 'get key',
};

describe('requireParent', () => {
  it('has the default of OpenTelemetry’s own instrumentation of each client', () => {
    const official = {
      pg: PgInstrumentation,
      mysql: MySQLInstrumentation,
      mysql2: MySQL2Instrumentation,
      ioredis: IORedisInstrumentation,
      redis: RedisInstrumentation,
      mongodb: MongoDBInstrumentation,
      memcached: MemcachedInstrumentation,
    };
    for (const [name, Instrumentation] of Object.entries(official)) {
      const config = new Instrumentation({ enabled: false }).getConfig() as {
        requireParentSpan?: boolean;
      };
      const { requireParent = false } = CLIENTS[name as keyof typeof official];
      assert.equal(requireParent, config.requireParentSpan ?? false, name);
    }
  });

  describe('in the environment', () => {
    const read = (value?: string): ReturnType<typeof readRequireParent> =>
      readRequireParent(value === undefined ? {} : { CLEW_REQUIRE_PARENT: value }, CLIENT_NAMES);
    const of = (value: string | undefined, name: string): boolean | undefined =>
      requiresParent(read(value).requireParent, name);

    it('leaves it to the client where it is not set, or empty', () => {
      for (const value of [undefined, '', '  ']) assert.equal(of(value, 'ioredis'), undefined);
    });

    it('is true or false for all', () => {
      for (const value of ['true', 'TRUE ']) assert.equal(of(value, 'pg'), true);
      assert.equal(of('false', 'ioredis'), false);
      assert.deepEqual(read('false').problems, []);
    });

    it('is a list of those that do and of no others', () => {
      assert.equal(of('pg, redis', 'pg'), true);
      assert.equal(of('pg, redis', 'redis'), true);
      assert.equal(of('pg, redis', 'ioredis'), false);
      assert.equal(of('node:sqlite', 'node:sqlite'), true);
    });

    it('reports a name that no client has, with the nearest, and keeps the others', () => {
      const { requireParent, problems } = read('pg,iorediss');
      assert.equal(requiresParent(requireParent, 'pg'), true);
      assert.equal(problems.length, 1);
      assert.match(
        problems[0]!.message,
        /`CLEW_REQUIRE_PARENT` names `iorediss`.* Did you mean `ioredis`\?/,
      );
    });

    it('leaves it to the clients where it names none that is known', () => {
      assert.equal(of('yes', 'ioredis'), undefined);
      assert.equal(read('yes').problems.length, 1);
    });
  });

  describe('of an instrumentation', () => {
    const VARIABLE = 'CLEW_REQUIRE_PARENT';
    let before: string | undefined;
    beforeEach(() => {
      before = process.env[VARIABLE];
    });
    afterEach(() => {
      if (before === undefined) delete process.env[VARIABLE];
      else process.env[VARIABLE] = before;
    });

    it('comes from the code before the environment, also when it is configured anew', () => {
      process.env[VARIABLE] = 'true';
      const config = resolveClientConfig({ requireParent: false }, true);
      assert.equal(config.requireParent, false);
      assert.equal(resolveClientConfig({}, true).requireParent, true);
      assert.equal(
        resolveClientConfig({ requireParent: undefined } as object, true).requireParent,
        true,
      );
      assert.doesNotThrow(() => getInstrumentations({ pg: { requireParent: false } }));
    });
  });

  describe('of a recorder', () => {
    let telemetry: Telemetry;
    const recorder = (requireParent: boolean): Recorder =>
      new Recorder('clew/test', '1', resolveClientConfig({ requireParent }), {
        describeError: byClass,
      });

    beforeEach(() => {
      telemetry = registerTelemetry();
    });
    afterEach(() => metrics.disable());

    /** Records an operation in `active`, as a source does. */
    const spansIn = (active: Context, requireParent = true): number => {
      const one = recorder(requireParent);
      context.with(active, () => {
        if (one.isListening) one.start(OPERATION)?.end();
      });
      return telemetry.spans().length;
    };

    it('makes no span outside of a span, and describes nothing there', () => {
      assert.equal(spansIn(ROOT_CONTEXT), 0);
      assert.equal(recorder(true).isListening, false);
      assert.equal(spansIn(ROOT_CONTEXT, false), 1);
    });

    it('takes a span of this process or of another for a parent', () => {
      assert.equal(spansIn(trace.setSpanContext(ROOT_CONTEXT, PARENT)), 1);
      assert.equal(spansIn(trace.setSpanContext(ROOT_CONTEXT, { ...PARENT, isRemote: true })), 2);
    });

    it('takes a span that is not valid for none, as a tracer does', () => {
      // That of a request which an HttpInstrumentation was told to leave out.
      for (const traceFlags of [TraceFlags.NONE, TraceFlags.SAMPLED]) {
        const invalid = { ...INVALID_SPAN_CONTEXT, traceFlags };
        assert.equal(spansIn(trace.setSpanContext(ROOT_CONTEXT, invalid)), 0);
      }
    });

    it('survives a span of other code that throws', () => {
      const broken = {
        spanContext: () => {
          throw new Error('planted');
        },
      } as unknown as Span;
      assert.doesNotThrow(() => spansIn(trace.setSpan(ROOT_CONTEXT, broken)));
    });

    it('measures the durations of all operations', async () => {
      const measure = registerMeasurements();
      assert.equal(spansIn(ROOT_CONTEXT), 0);
      const [point] = await measure('db.client.operation.duration');
      assert.equal((point?.value as { count?: number } | undefined)?.count, 1);
    });

    it('describes an operation without a span to the async-resource tracer', () => {
      const stop = startCollecting();
      try {
        const one = recorder(true);
        assert.equal(one.isListening, true);
        const recording = one.start(OPERATION, ROOT_CONTEXT);
        assert.equal(recording?.description, 'get key');
        recording?.end();
        assert.equal(telemetry.spans().length, 0);
      } finally {
        stop();
      }
    });
  });
});
