import assert from 'node:assert/strict';

import { getInstrumentations } from '../../src/instrumentation/index.ts';
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
  it('rejects a client nobody knows', () => {
    assert.throws(() => getInstrumentations({ postgress: {} } as object), { code: 'ERR_OPTION' });
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
