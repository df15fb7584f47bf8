import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stub } from 'sinon';

import { say, setLogLevel } from '../../src/base/log.ts';
import { readConfig } from '../../src/config.ts';
import { createProvider, type Pipeline } from '../../src/export/sdk/pipeline.ts';
import { startReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { skipSuite } from '../support/services.ts';
import { makeCertificates, type Certificates } from './support/certificates.ts';
import { captureStderr } from './support/stderr.ts';

/*
 * Each variable of OpenTelemetry by what it does to the spans on the wire, from the environment to
 * a collector. What a malformed one does is in delivery-options.test.ts and config.test.ts.
 */

const OTLP = 'OTEL_EXPORTER_OTLP';

describe('a variable of OpenTelemetry', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  const pipelines: Pipeline[] = [];

  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => {
    for (const { provider } of pipelines.splice(0)) await provider.shutdown();
    await receiver.close();
  });

  function start(env: Record<string, string>): Pipeline {
    const { config, problems } = readConfig({}, { [`${OTLP}_ENDPOINT`]: receiver.url, ...env });
    assert.deepEqual(problems, []);
    const pipeline = createProvider(config);
    pipelines.push(pipeline);
    return pipeline;
  }

  function endSpans({ provider }: Pipeline, count = 1): void {
    const tracer = provider.getTracer('test');
    for (let i = 0; i < count; i++) {
      const span = tracer.startSpan(`span ${i}`, { attributes: { a: 'abcdef', b: 2, c: 3 } });
      span.addEvent('first', { x: 1, y: 2 }).addEvent('second');
      span.addLink({ context: span.spanContext(), attributes: { x: 1, y: 2 } });
      span.addLink({ context: span.spanContext() });
      span.end();
    }
  }

  /** Sends one span under these variables, and returns it as it arrived. */
  async function send(env: Record<string, string>): Promise<ReceivedSpan> {
    const pipeline = start(env);
    endSpans(pipeline);
    await pipeline.provider.forceFlush();
    assert.equal(receiver.spans.length, 1);
    return receiver.spans[0] as ReceivedSpan;
  }

  it('OTEL_EXPORTER_OTLP_ENDPOINT is a base URL', async () => {
    await send({ [`${OTLP}_ENDPOINT`]: `${receiver.url}/base/` });
    assert.equal(receiver.requests[0]?.url, '/base/v1/traces');
  });

  it('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is', async () => {
    await send({ [`${OTLP}_TRACES_ENDPOINT`]: `${receiver.url}/own?tenant=1` });
    assert.equal(receiver.requests[0]?.url, '/own?tenant=1');
  });

  for (const signal of ['', '_TRACES']) {
    it(`OTEL_EXPORTER_OTLP${signal}_PROTOCOL chooses the encoding`, async () => {
      await send({ [`${OTLP}${signal}_PROTOCOL`]: 'http/json' });
      assert.equal(receiver.requests[0]?.headers['content-type'], 'application/json');
    });

    it(`OTEL_EXPORTER_OTLP${signal}_COMPRESSION chooses gzip`, async () => {
      await send({ [`${OTLP}${signal}_COMPRESSION`]: 'gzip' });
      assert.equal(receiver.requests[0]?.headers['content-encoding'], 'gzip');
    });

    it(`OTEL_EXPORTER_OTLP${signal}_HEADERS are sent`, async () => {
      await send({ [`${OTLP}${signal}_HEADERS`]: 'api-key=a%20b,tenant=shop' });
      const headers = receiver.requests[0]?.headers;
      assert.deepEqual([headers?.['api-key'], headers?.['tenant']], ['a b', 'shop']);
    });

    it(`OTEL_EXPORTER_OTLP${signal}_TIMEOUT ends a request that is not answered`, async () => {
      receiver.fault = () => ({ hang: true });
      const pipeline = start({ [`${OTLP}${signal}_TIMEOUT`]: '50' });
      endSpans(pipeline);
      // The default would end it after 10 s.
      const hasFailed = (): boolean => (pipeline.delivery?.stats().failedRequests ?? 0) > 0;
      await receiver.waitUntil(hasFailed, 9000);
      receiver.fault = undefined;
      await receiver.waitForSpans(1, 20_000);
    });
  }

  it('OTEL_BSP_SCHEDULE_DELAY is how long a span waits for company', async () => {
    const patient = start({ OTEL_BSP_SCHEDULE_DELAY: '3600000' });
    const quick = start({ OTEL_BSP_SCHEDULE_DELAY: '1' });
    endSpans(patient);
    endSpans(quick);
    await receiver.waitForSpans(1);
    await quick.provider.forceFlush();
    assert.equal(quick.delivery?.stats().accepted, 1);
    assert.equal(patient.delivery?.stats().queued, 1);
    assert.equal(patient.delivery.stats().requests, 0);
  });

  it('OTEL_BSP_MAX_QUEUE_SIZE is how many may wait', async () => {
    receiver.fault = () => ({ status: 503 });
    const pipeline = start({ OTEL_BSP_MAX_QUEUE_SIZE: '30', OTEL_BSP_SCHEDULE_DELAY: '1' });
    for (let i = 1; i <= 5; i++) {
      endSpans(pipeline, 20);
      // Each twenty are a chunk of their own.
      await receiver.waitUntil(() => (pipeline.delivery?.stats().queuedBytes ?? 0) > 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await receiver.waitUntil(() => (pipeline.delivery?.stats().droppedBy.overflow ?? 0) >= 70);
    const { queued, dropped } = pipeline.delivery?.stats() ?? {};
    assert.equal((queued ?? 0) + (dropped ?? 0), 100);
    receiver.fault = undefined;
  });

  it('OTEL_BSP_MAX_EXPORT_BATCH_SIZE is how many go in one request', async () => {
    const sizes: number[] = [];
    receiver.fault = ({ spans }) => void sizes.push(spans.length);
    const pipeline = start({ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '7' });
    endSpans(pipeline, 30);
    await pipeline.provider.forceFlush();
    assert.deepEqual(
      sizes.toSorted((a, b) => a - b),
      [2, 7, 7, 7, 7],
    );
  });

  it('OTEL_BSP_EXPORT_TIMEOUT is how long a flush may take', async () => {
    receiver.fault = () => ({ hang: true });
    const pipeline = start({ OTEL_BSP_EXPORT_TIMEOUT: '50' });
    endSpans(pipeline);
    // The default of 30 s is this test's time-out.
    await pipeline.provider.forceFlush();
    assert.equal(pipeline.delivery?.stats().queued, 1);
  });

  it('OTEL_TRACES_EXPORTER=otlp sends', async () => {
    await send({ OTEL_TRACES_EXPORTER: 'otlp' });
  });

  it('OTEL_TRACES_EXPORTER=none makes no sender', async () => {
    const pipeline = start({ OTEL_TRACES_EXPORTER: 'none' });
    endSpans(pipeline);
    await pipeline.provider.forceFlush();
    assert.equal(pipeline.delivery, undefined);
    assert.equal(receiver.requests.length, 0);
  });

  it('OTEL_TRACES_EXPORTER=console prints', async () => {
    const print = stub(console, 'dir');
    const pipeline = start({ OTEL_TRACES_EXPORTER: 'console' });
    endSpans(pipeline);
    await pipeline.provider.forceFlush();
    const [printed] = print.firstCall.args as [{ name: string }];
    print.restore();
    assert.equal(printed.name, 'span 0');
    assert.equal(pipeline.delivery, undefined);
    assert.equal(receiver.requests.length, 0);
  });

  const SAMPLERS: [env: Record<string, string>, ended: number][] = [
    [{ OTEL_TRACES_SAMPLER: 'always_on' }, 10],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, 0],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, 0],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' }, 10],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, 10],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, 0],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, 0],
  ];
  for (const [env, ended] of SAMPLERS) {
    it(`${Object.entries(env).flat().join(' ')} keeps ${ended} of 10`, async () => {
      const pipeline = start(env);
      endSpans(pipeline, 10);
      await pipeline.provider.forceFlush();
      assert.equal(receiver.spans.length, ended);
    });
  }

  it('OTEL_RESOURCE_ATTRIBUTES are on every span, and OTEL_SERVICE_NAME wins over them', async () => {
    const { resource } = await send({
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=c,team=a%2Cb,host.name=other',
      OTEL_SERVICE_NAME: 'shop',
    });
    const { 'service.name': name, team, 'host.name': host } = resource;
    assert.deepEqual({ name, team, host }, { name: 'shop', team: 'a,b', host: 'other' });
  });

  it('OTEL_SDK_DISABLED=true makes no spans, in any spelling', () => {
    for (const [value, disabled] of [
      ['true', true],
      ['TRUE', true],
      ['false', false],
      ['1', false],
    ] as const) {
      assert.equal(readConfig({}, { OTEL_SDK_DISABLED: value }).config.disabled, disabled);
    }
  });

  it('OTEL_LOG_LEVEL sets how much is logged', () => {
    const LEVELS: Record<string, string[]> = {
      none: [],
      error: ['error'],
      warn: ['error', 'warn'],
      info: ['error', 'warn', 'info'],
      debug: ['error', 'warn', 'info', 'debug'],
      all: ['error', 'warn', 'info', 'debug'],
    };
    for (const [value, said] of Object.entries(LEVELS)) {
      const lines = captureStderr();
      setLogLevel(readConfig({}, { OTEL_LOG_LEVEL: value }).config.logLevel);
      for (const level of ['error', 'warn', 'info', 'debug'] as const) say(level, level);
      lines.stop();
      setLogLevel('none');
      const words = lines.text().match(/(?<=clew: )\w+/g) ?? [];
      assert.deepEqual(words, said, value);
    }
  });

  const LIMITS: [variable: string, value: string, look: (span: ReceivedSpan) => unknown][] = [
    ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', '2', (span) => span.attributes.length],
    ['OTEL_ATTRIBUTE_COUNT_LIMIT', '2', (span) => span.attributes.length],
    ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', '3', lengthOfText],
    ['OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', '3', lengthOfText],
    ['OTEL_SPAN_EVENT_COUNT_LIMIT', '1', (span) => span.events.length],
    ['OTEL_SPAN_LINK_COUNT_LIMIT', '1', (span) => span.links.length],
    ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', '1', (span) => span.events[0]?.attributes?.length],
    ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', '1', (span) => span.links[0]?.attributes?.length],
  ];
  for (const [variable, value, look] of LIMITS) {
    it(`${variable}=${value} limits`, async () => {
      const limited = await send({ [variable]: value });
      assert.equal(look(limited), Number(value));
    });
  }

  describe('over TLS', () => {
    let certificates: Certificates;
    let folder: string;

    before(function () {
      const made = makeCertificates();
      if (!made) skipSuite(this, 'TLS: no openssl on this machine to make certificates');
      certificates = made;
      folder = mkdtempSync(join(tmpdir(), 'clew-variables-'));
      writeFileSync(join(folder, 'ca.pem'), made.ca);
      writeFileSync(join(folder, 'client.pem'), made.client.cert);
      writeFileSync(join(folder, 'client.key'), made.client.key);
    });
    after(() => folder && rmSync(folder, { recursive: true }));

    for (const signal of ['', '_TRACES']) {
      it(`OTEL_EXPORTER_OTLP${signal}_CERTIFICATE, _CLIENT_CERTIFICATE and _CLIENT_KEY open it`, async () => {
        const { ca, server } = certificates;
        await receiver.close();
        receiver = await startReceiver({
          tls: { ...server, ca, requestCert: true, rejectUnauthorized: true },
        });
        await send({
          [`${OTLP}_ENDPOINT`]: receiver.url,
          [`${OTLP}${signal}_CERTIFICATE`]: join(folder, 'ca.pem'),
          [`${OTLP}${signal}_CLIENT_CERTIFICATE`]: join(folder, 'client.pem'),
          [`${OTLP}${signal}_CLIENT_KEY`]: join(folder, 'client.key'),
        });
      });
    }
  });
});

function lengthOfText(span: ReceivedSpan): number {
  return String(toObject(span.attributes)['a']).length;
}
