import assert from 'node:assert/strict';

import { context, INVALID_SPAN_CONTEXT, ROOT_CONTEXT, trace } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../src/index.ts';
import { OtelSpans } from '../../src/diagnosis/collector/span-source.ts';

describe('the active span, as the doctor sees it', () => {
  const manager = new AsyncHooksContextManager();
  const source = new OtelSpans(undefined);

  before(() => {
    context.setGlobalContextManager(manager.enable());
  });
  after(() => {
    source.stop();
    context.disable();
    manager.disable();
  });

  it('is one that has an identity, recorded or not', () => {
    const span = trace.wrapSpanContext({
      traceId: '1'.repeat(32),
      spanId: '2'.repeat(16),
      traceFlags: 0,
    });
    context.with(trace.setSpan(ROOT_CONTEXT, span), () => assert.equal(source.active(), span));
  });

  it('is none where there is no provider, whose spans stand for nothing', () => {
    const span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    context.with(trace.setSpan(ROOT_CONTEXT, span), () => assert.equal(source.active(), undefined));
  });
});
