import assert from 'node:assert/strict';

import {
  context,
  INVALID_SPAN_CONTEXT,
  metrics,
  ROOT_CONTEXT,
  SamplingDecision,
  trace,
  TraceFlags,
  type SpanContext,
} from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  RandomIdGenerator,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace-base';
import sinon from 'sinon';

import { startCollecting } from '../../../src/async/collecting.ts';
import {
  resolveClientConfig,
  type ClientConfig,
} from '../../../src/instrumentation/client-config.ts';
import { byClass, type Operation } from '../../../src/instrumentation/operation.ts';
import { createEndpoint } from '../../../src/instrumentation/recorder/endpoint.ts';
import { droppedBy } from '../../../src/instrumentation/recorder/sampling.ts';
import { Recorder } from '../../../src/instrumentation/recorder/recorder.ts';
import type { OperationRecording } from '../../../src/instrumentation/recorder/operation-recording.ts';
import { registerMeasurements } from '../support/measurements.ts';
import { registerContextManager } from '../support/telemetry.ts';

const PARENT: SpanContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.NONE,
};
const ENDPOINT = createEndpoint({ system: 'postgresql', address: 'db.example', port: 5432 });
const root = new AlwaysOnSampler();

/** A provider with `sampler`, and how many spans it was asked for. */
function provide(
  sampler: Sampler,
  more: ConstructorParameters<typeof BasicTracerProvider>[0] = {},
): { asked: () => number; recorded: () => number } {
  const ids = new RandomIdGenerator();
  const generateSpanId = sinon.spy(ids, 'generateSpanId');
  const exporter = new InMemorySpanExporter();
  trace.disable();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      sampler,
      idGenerator: ids,
      spanProcessors: [new SimpleSpanProcessor(exporter)],
      ...more,
    }),
  );
  return {
    asked: () => generateSpanId.callCount,
    recorded: () => exporter.getFinishedSpans().length,
  };
}

const OPERATION: Operation = { endpoint: ENDPOINT, text: 'select 1', dialect: 'postgresql' };

function recorderWith(config: ClientConfig): Recorder {
  const responses = { describeError: byClass };
  return new Recorder('clew/test', '1', resolveClientConfig(config), responses);
}

/** Records an operation under `parent`, as a source does. */
function record(
  parent: SpanContext | undefined,
  config: ClientConfig = {},
): OperationRecording | undefined {
  const recorder = recorderWith(config);
  const own = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  return context.with(own, () => {
    if (!recorder.isListening) return undefined;
    const recording = recorder.start(OPERATION);
    recording?.end();
    return recording;
  });
}

describe('an operation of a request that is not sampled', () => {
  beforeEach(() => registerContextManager());

  for (const [from, isRemote] of [
    ['this process', false],
    ['another', true],
  ] as const) {
    it(`asks a parent-based sampler for nothing where ${from} decided`, () => {
      const { asked } = provide(new ParentBasedSampler({ root }));
      assert.equal(record({ ...PARENT, isRemote }), undefined);
      assert.equal(asked(), 0);
    });
  }

  it('asks one that takes shares of the traces for nothing, either', () => {
    const { asked } = provide(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }));
    record(PARENT);
    assert.equal(asked(), 0);
  });

  it('is recorded where the request is sampled, or is none', () => {
    const { recorded } = provide(new ParentBasedSampler({ root }));
    record({ ...PARENT, traceFlags: TraceFlags.SAMPLED });
    record(undefined);
    assert.equal(recorded(), 2);
  });

  it('is recorded under a parent that is not valid, which to a sampler is none', () => {
    const { recorded } = provide(new ParentBasedSampler({ root }));
    record(INVALID_SPAN_CONTEXT);
    record({ ...PARENT, spanId: 'no id' });
    assert.equal(recorded(), 2);
  });

  it('asks no sampler where everything is dropped', () => {
    const { asked } = provide(new AlwaysOffSampler());
    record(undefined);
    record({ ...PARENT, traceFlags: TraceFlags.SAMPLED });
    assert.equal(asked(), 0);
  });

  for (const [name, sampler, isRemote] of [
    [
      'under a local parent',
      new ParentBasedSampler({ root, localParentNotSampled: new AlwaysOnSampler() }),
      false,
    ],
    [
      'under a remote parent',
      new ParentBasedSampler({ root, remoteParentNotSampled: new AlwaysOnSampler() }),
      true,
    ],
    [
      'though its root would not',
      new ParentBasedSampler({
        root: new ParentBasedSampler({ root }),
        localParentNotSampled: new AlwaysOnSampler(),
      }),
      false,
    ],
  ] as const) {
    it(`asks a parent-based sampler that takes what is not sampled ${name}`, () => {
      const { asked, recorded } = provide(sampler);
      record({ ...PARENT, isRemote });
      assert.deepEqual([asked(), recorded()], [1, 1]);
    });
  }

  it('asks a sampler of the application, with all that it may want to know', () => {
    const sampler = {
      shouldSample: sinon.fake.returns({ decision: SamplingDecision.NOT_RECORD }),
      toString: () => 'AlwaysOffSampler',
    };
    provide(sampler);
    record(PARENT);
    sinon.assert.calledOnce(sampler.shouldSample);
    assert.deepEqual(sampler.shouldSample.firstCall.args[4], {
      'db.system.name': 'postgresql',
      'server.address': 'db.example',
      'server.port': 5432,
      'db.query.text': 'select ?',
      'db.query.summary': 'select',
    });
  });

  it('asks one that has no class', () => {
    const shouldSample = sinon.fake.returns({ decision: SamplingDecision.NOT_RECORD });
    provide(Object.assign(Object.create(null) as Sampler, { shouldSample }));
    record(PARENT);
    sinon.assert.calledOnce(shouldSample);
  });

  it('leaves the application alone where the span of its request cannot be read', () => {
    provide(new ParentBasedSampler({ root }));
    const broken = { ...trace.wrapSpanContext(PARENT) };
    broken.spanContext = () => {
      throw new Error('no context');
    };
    const recorder = recorderWith({});
    context.with(trace.setSpan(ROOT_CONTEXT, broken), () => {
      assert.equal(recorder.isListening, true);
      assert.equal(recorder.start(OPERATION), undefined);
    });
  });

  it('takes a tracer that cannot be looked into for one that has to be asked', () => {
    const tracer = { ...trace.getTracer('none') };
    Object.defineProperty(tracer, '_sampler', {
      get() {
        throw new Error('private');
      },
    });
    assert.equal(droppedBy(tracer), 'nothing');
  });

  it('asks one that is derived from a known one', () => {
    class Debugging extends ParentBasedSampler {
      override shouldSample(): { decision: SamplingDecision } {
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      }
    }
    const { recorded } = provide(new Debugging({ root }));
    record(PARENT);
    assert.equal(recorded(), 1);
  });

  it('asks where the SDK counts what it drops', async () => {
    const measure = registerMeasurements();
    provide(new ParentBasedSampler({ root }), { meterProvider: metrics.getMeterProvider() });
    record(PARENT);
    const [started] = await measure('otel.sdk.span.started');
    assert.equal(started?.value, 1);
  });

  it('is measured all the same', async () => {
    const measure = registerMeasurements();
    const { asked } = provide(new ParentBasedSampler({ root }));
    record(PARENT);
    assert.equal((await measure('db.client.operation.duration')).length, 1);
    assert.equal(asked(), 0);
  });

  it('has a span for the comment in its statement', () => {
    provide(new ParentBasedSampler({ root }));
    const recording = record(PARENT, { sqlCommenter: true });
    assert.match(
      recording?.comment('select 1') ?? '',
      new RegExp(`traceparent='00-${PARENT.traceId}-[0-9a-f]{16}-00'`),
    );
  });

  it('names its type while records of async resources are made', () => {
    provide(new ParentBasedSampler({ root }));
    const stop = startCollecting();
    try {
      assert.equal(record(PARENT)?.description, 'select ?');
    } finally {
      stop();
    }
    assert.equal(record(PARENT), undefined);
  });
});
