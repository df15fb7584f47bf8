import assert from 'node:assert/strict';

import { isDefaultTarget } from '../../src/diagnosis/default-targets.ts';

const OTLP = { target: 'http://localhost:4318/v1/traces', reason: 'ECONNREFUSED' };

describe('the default address of an exporter', () => {
  for (const target of [
    'http://localhost:4318/v1/traces',
    'http://127.0.0.1:4318/v1/traces',
    'http://[::1]:4318/v1/traces',
    'http://127.0.0.1:8126/v0.4/traces',
  ]) {
    it(`is ${target}`, () => assert.ok(isDefaultTarget({ ...OTLP, target }, {})));
  }

  for (const target of [
    'http://localhost:4319/v1/traces',
    'http://localhost:4318/api/v1/traces',
    'http://localhost:4318/v1/traces/x',
    'https://localhost:4318/v1/traces',
    'http://collector:4318/v1/traces',
    // An exporter to Zipkin is a choice.
    'http://localhost:9411/api/v2/spans',
    'http://localhost:8126/v1/traces',
    'the collector',
  ]) {
    it(`is not ${target}`, () => assert.ok(!isDefaultTarget({ ...OTLP, target }, {})));
  }

  it('is known by the reason alone where that is all there is', () => {
    const at = (port: number): boolean => {
      const reason = `14 UNAVAILABLE: connect ECONNREFUSED 127.0.0.1:${port}`;
      return isDefaultTarget({ target: 'the collector', reason }, {});
    };
    assert.deepEqual([4317, 4318, 4319, 43_170].map(at), [true, true, false, false]);
  });

  it('is a choice where a variable names an address or an exporter, and not where it is empty', () => {
    const env = (name: string, value: string): boolean => isDefaultTarget(OTLP, { [name]: value });
    assert.ok(!env('OTEL_TRACES_EXPORTER', 'otlp'));
    assert.ok(!env('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://localhost:4318'));
    assert.ok(!env('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', OTLP.target));
    assert.ok(env('OTEL_EXPORTER_OTLP_ENDPOINT', ' '));
    assert.ok(env('DD_TRACE_AGENT_URL', 'http://localhost:8126'));
    const agent = { ...OTLP, target: 'http://127.0.0.1:8126/v0.4/traces' };
    assert.ok(!isDefaultTarget(agent, { DD_AGENT_HOST: 'localhost' }));
  });
});
