import assert from 'node:assert/strict';

import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

import { forgetWhatWasSaid, setLogLevel, type LogLevel } from '../../../src/base/log.ts';
import { createDelivery } from '../../../src/export/delivery.ts';
import { MAX_TEXT } from '../../../src/export/encoding/shortened-span.ts';
import { captureStderr } from '../../support/capture-stderr.ts';
import { OtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';
import { toObject } from '../../support/otlp-types.ts';

const LONG = 'x'.repeat(5 * 1024 * 1024);
const CUT = `${LONG.slice(0, MAX_TEXT - 1)}…`;

describe('a span that is too long to be sent', () => {
  let receiver: OtlpReceiver;
  let provider: BasicTracerProvider;
  let level: LogLevel;
  let stats: () => { accepted: number; dropped: number };

  beforeEach(async () => {
    forgetWhatWasSaid();
    level = setLogLevel('info');
    receiver = await new OtlpReceiver().listen();
    const delivery = createDelivery({ url: `${receiver.url}/v1/traces` });
    stats = () => delivery.stats();
    provider = new BasicTracerProvider({ spanProcessors: [delivery] });
  });
  afterEach(async () => {
    await provider.shutdown();
    await receiver.close();
    setLogLevel(level);
  });

  async function sent(write: (span: Span) => void): Promise<[ReceivedSpan[], string[]]> {
    const tracer = provider.getTracer('test');
    tracer.startSpan('before').end();
    const span = tracer.startSpan('long');
    write(span);
    const lines = captureStderr(() => span.end());
    tracer.startSpan('after').end();
    await provider.forceFlush();
    return [receiver.spans, lines];
  }

  it('is sent with its texts cut, among its neighbours, and reports it once', async () => {
    const [spans, lines] = await sent((span) => {
      span.setAttributes({ long: LONG, list: ['a', LONG], short: 'kept', number: 7 });
      span.addEvent('event', { long: LONG });
      span.setStatus({ code: SpanStatusCode.ERROR, message: LONG });
    });
    assert.deepEqual(
      spans.map(({ name }) => name),
      ['before', 'long', 'after'],
    );
    const { attributes, events, status } = spans[1]!;
    assert.deepEqual(toObject(attributes), {
      long: CUT,
      list: ['a', CUT],
      short: 'kept',
      number: 7,
    });
    assert.deepEqual(toObject(events[0]!.attributes), { long: CUT });
    assert.equal(status?.message, CUT);
    assert.equal(stats().accepted, 3);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0]!,
      /^clew: A span was \d+ bytes long: its attribute texts are cut to 16384 characters\. OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT sets/,
    );
  });

  it('is counted as dropped where it is too long even so', async () => {
    const texts = Array.from({ length: 128 }, () => 'y'.repeat(40_000));
    const [spans] = await sent((span) => {
      for (let index = 0; index < 4; index += 1) span.setAttribute(`list ${index}`, texts);
    });
    assert.deepEqual(
      spans.map(({ name }) => name),
      ['before', 'after'],
    );
    assert.equal(stats().accepted, 2);
    assert.equal(stats().dropped, 1);
  });
});
