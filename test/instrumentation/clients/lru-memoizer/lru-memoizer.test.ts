import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import type memoizer from 'lru-memoizer';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { asCaller, called, caller } from '../../support/callers.ts';
import { registerTelemetry } from '../../support/telemetry.ts';

describe('lru-memoizer', () => {
  const require = createRequire(import.meta.url);
  let instrumentation: Instrumentation;
  let memoize: typeof memoizer;

  before(() => {
    [instrumentation] = getInstrumentations().filter(
      ({ instrumentationName }) => instrumentationName === 'clew/lru-memoizer',
    ) as [Instrumentation];
    instrumentation.enable();
    memoize = require('lru-memoizer') as typeof memoizer;
  });

  after(() => instrumentation.disable());

  it('answers those who wait for the same key each in their own context', async () => {
    registerTelemetry();
    let loads = 0;
    const load = memoize({
      max: 10,
      hash: (key: string) => key,
      load: (key: string, callback: (error: Error | null, value: string) => void) => {
        loads += 1;
        setImmediate(callback, null, `value of ${key}`);
      },
    });
    const seen = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        asCaller(name, async () => {
          let place = '';
          const [, value] = await called<unknown[]>((done) =>
            load('key', (...answer: unknown[]) => {
              place = caller();
              done(...answer);
            }),
          );
          return `${place}: ${String(value)}`;
        }),
      ),
    );
    assert.deepEqual(
      seen,
      ['a', 'b', 'c'].map((name) => `${name}: value of key`),
    );
    assert.equal(loads, 1);
    assert.deepEqual(load.keys(), ['key']);
  });
});
