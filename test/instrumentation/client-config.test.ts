import assert from 'node:assert/strict';

import { getInstrumentation, getInstrumentations } from '../../src/instrumentation/index.ts';
import { resolveClientConfig, type ClientConfig } from '../../src/instrumentation/client-config.ts';

describe('ClientConfig', () => {
  for (const [name, config] of Object.entries({
    'a boolean that is none': { requireParent: 'yes' },
    'a function that is none': { ignore: true },
    'a publisher that is no function': { publisherContext: {} },
    'a negative length': { maxTextLength: -1 },
    'a broken length': { maxTextLength: 1.5 },
    'parameters that are no list': { parameters: 'id' },
    'a commenter that cannot inject': { sqlCommenter: {} },
    'a name nobody knows': { requiresParent: true },
  })) {
    it(`rejects ${name}`, () => {
      assert.throws(() => resolveClientConfig(config as ClientConfig), { code: 'ERR_OPTION' });
    });
  }

  it('accepts a text length of 0, which shows no text', () => {
    assert.equal(resolveClientConfig({ maxTextLength: 0 }).maxTextLength, 0);
  });

  it('takes the transition to stable names from the environment', () => {
    const before = process.env['OTEL_SEMCONV_STABILITY_OPT_IN'];
    process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] = 'http,database/dup';
    try {
      assert.equal(resolveClientConfig({}).legacyAttributes, true);
      assert.equal(resolveClientConfig({ legacyAttributes: false }).legacyAttributes, false);
    } finally {
      if (before === undefined) delete process.env['OTEL_SEMCONV_STABILITY_OPT_IN'];
      else process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] = before;
    }
    assert.equal(resolveClientConfig({}).legacyAttributes, false);
  });
});

describe('getInstrumentations', () => {
  it('rejects an unknown client', () => {
    assert.throws(() => getInstrumentations({ postgress: {} } as object), { code: 'ERR_OPTION' });
  });

  it('rejects an option of another client, and names those of this one', () => {
    assert.throws(() => getInstrumentations({ mongodb: { acquireSpans: true } } as object), {
      code: 'ERR_OPTION',
      message: /^Expected `the options of mongodb` to be among enabled, .*, got `acquireSpans`/,
    });
  });

  it('leaves an option that is given to all out of a client that has none such', () => {
    const all = getInstrumentations({ all: { acquireSpans: true, maxTextLength: 5 } });
    const configOf = (library: string): object | undefined =>
      all.find(({ instrumentationName }) => instrumentationName === `clew/${library}`)?.getConfig();
    assert.deepEqual(configOf('pg'), { acquireSpans: true, maxTextLength: 5, enabled: false });
    assert.deepEqual(configOf('redis'), { maxTextLength: 5, enabled: false });
    assert.deepEqual(configOf('tarn'), { enabled: false });
  });

  it('leaves out a client that is turned off', () => {
    const names = getInstrumentations({ pg: { enabled: false } }).map(
      ({ instrumentationName }) => instrumentationName,
    );
    assert.ok(!names.includes('clew/pg'));
  });

  it('gives a client what is common to all, under what is its own', () => {
    const [pg] = getInstrumentations({
      all: { requireParent: true, maxTextLength: 1 },
      pg: { maxTextLength: 2 },
    });
    assert.deepEqual(pg?.getConfig(), { requireParent: true, maxTextLength: 2, enabled: false });
  });
});

describe('getInstrumentation', () => {
  it('is that of one library, by its options', () => {
    const pg = getInstrumentation('pg', { sqlCommenter: true });
    assert.equal(pg.instrumentationName, 'clew/pg');
    assert.deepEqual(pg.getConfig(), { sqlCommenter: true, enabled: false });
    for (const library of ['bullmq', 'pino', 'express', 'http', 'undici'] as const) {
      assert.equal(getInstrumentation(library).instrumentationName, `clew/${library}`);
    }
  });

  it('rejects an unknown library, and an option of another client', () => {
    assert.throws(() => getInstrumentation('postgress' as 'pg'), { code: 'ERR_OPTION' });
    assert.throws(() => getInstrumentation('redis', { sqlCommenter: true } as object), {
      code: 'ERR_OPTION',
    });
    assert.throws(() => getInstrumentation('undici', { sqlCommenter: true } as object), {
      code: 'ERR_OPTION',
    });
  });

  it('rejects an option of another client that is set later', () => {
    const redis = getInstrumentation('redis');
    assert.throws(() => redis.setConfig({ sqlCommenter: true }), { code: 'ERR_OPTION' });
  });
});
