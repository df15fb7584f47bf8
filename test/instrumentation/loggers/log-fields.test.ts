import assert from 'node:assert/strict';

import { context, trace, TraceFlags, type SpanContext } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import { fieldsReader, resolveLogFields } from '../../../src/instrumentation/loggers/log-fields.ts';
import { withJsonFields } from '../../../src/instrumentation/loggers/json-line.ts';
import { IDS } from './support.ts';

const SPAN: SpanContext = {
  traceId: IDS.trace_id,
  spanId: IDS.span_id,
  traceFlags: TraceFlags.SAMPLED,
};

describe('fields of the active span', () => {
  const read = fieldsReader(resolveLogFields({}));
  const under = (span: SpanContext): ReturnType<typeof read> =>
    context.with(trace.setSpanContext(context.active(), span), read);
  const valuesUnder = (span: SpanContext): string[] | undefined =>
    under(span)?.map(({ value }) => value);

  beforeEach(() => {
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
  });
  afterEach(() => context.disable());

  it('are made once for the lines of a span', () => {
    const fields = under(SPAN);
    assert.ok(fields);
    assert.equal(under({ ...SPAN }), fields);
  });

  it('follow each part of what identifies the span', () => {
    const { traceId, spanId } = SPAN;
    assert.deepEqual(valuesUnder(SPAN), [traceId, spanId, '01']);
    assert.deepEqual(valuesUnder({ ...SPAN, traceFlags: 0 }), [traceId, spanId, '00']);
    const other = '1'.repeat(32);
    assert.deepEqual(valuesUnder({ ...SPAN, traceId: other }), [other, spanId, '01']);
    assert.deepEqual(valuesUnder({ ...SPAN, spanId: '2'.repeat(16) }), [
      traceId,
      '2'.repeat(16),
      '01',
    ]);
  });

  it('are none without a span and for one with invalid ids, and are back with the next', () => {
    assert.equal(read(), undefined);
    assert.equal(under({ ...SPAN, traceId: '0'.repeat(32) }), undefined);
    assert.deepEqual(valuesUnder(SPAN), [SPAN.traceId, SPAN.spanId, '01']);
  });

  it('have their names as JSON writes them', () => {
    const quoted = fieldsReader(resolveLogFields({ traceId: 'a"b', spanId: false }));
    const fields = context.with(trace.setSpanContext(context.active(), SPAN), quoted);
    assert.ok(fields);
    assert.deepEqual(JSON.parse(withJsonFields('{"msg":"x"}\n', fields)), {
      msg: 'x',
      'a"b': SPAN.traceId,
      trace_flags: '01',
    });
  });
});
