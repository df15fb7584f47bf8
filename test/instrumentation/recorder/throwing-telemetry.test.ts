import assert from 'node:assert/strict';

import { trace, type Meter } from '@opentelemetry/api';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import sinon from 'sinon';

import { forgetWhatWasSaid, setLogLevel, type LogLevel } from '../../../src/base/log.ts';
import { resolveClientConfig } from '../../../src/instrumentation/client-config.ts';
import { byClass, type Operation } from '../../../src/instrumentation/operation.ts';
import { createEndpoint } from '../../../src/instrumentation/recorder/endpoint.ts';
import { Recorder } from '../../../src/instrumentation/recorder/recorder.ts';
import { registerContextManager } from '../support/telemetry.ts';

const OPERATION: Operation = {
  endpoint: createEndpoint({ system: 'postgresql', address: 'db.example' }),
  name: 'GET',
};
const QUIET: SpanProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};
const planted = (): never => {
  throw new Error('planted');
};

/** Records an operation from its start to its end, with what the application registered. */
function record(sampler: Sampler, processor: SpanProcessor): void {
  registerContextManager();
  trace.disable();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ sampler, spanProcessors: [processor] }));
  newRecorder().start(OPERATION)?.end();
}

function newRecorder(): Recorder {
  return new Recorder('clew/test', '1', resolveClientConfig({}), { describeError: byClass });
}

describe('Telemetry that throws does not reach the caller of a query', () => {
  let said: sinon.SinonStub;
  let level: LogLevel;

  beforeEach(() => {
    forgetWhatWasSaid();
    level = setLogLevel('error');
    said = sinon.stub(process.stderr, 'write').returns(true);
  });

  afterEach(() => {
    said.restore();
    setLogLevel(level);
    trace.disable();
  });

  it('from a sampler', () => {
    record({ shouldSample: planted, toString: () => 'planted' }, QUIET);
    assert.match(String(said.args), /cannot record: planted/);
  });

  it('from a processor at the start of a span', () => {
    record(new AlwaysOnSampler(), { ...QUIET, onStart: planted });
    assert.match(String(said.args), /cannot record: planted/);
  });

  it('from an instrument', () => {
    registerContextManager();
    const recorder = newRecorder();
    const instrument = { record: planted, add: planted };
    recorder.providers.setMeterProvider({
      getMeter: () =>
        ({
          createHistogram: () => instrument,
          createCounter: () => instrument,
          createObservableUpDownCounter: () => instrument,
          addBatchObservableCallback: () => undefined,
        }) as unknown as Meter,
    });
    recorder.start(OPERATION)?.end();
    assert.match(String(said.args), /cannot end a span: planted/);
    recorder.pools.waited({}, 1);
    recorder.pools.timedOut({});
    assert.match(String(said.args), /cannot measure a pool: planted/);
  });

  it('from a processor at the end of a span', () => {
    record(new AlwaysOnSampler(), { ...QUIET, onEnd: planted });
    assert.match(String(said.args), /cannot end a span: planted/);
  });
});
