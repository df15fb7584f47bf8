import assert from 'node:assert/strict';

import { trace } from '@opentelemetry/api';
import DataLoader from 'dataloader';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { asCaller, caller } from '../../support/callers.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

describe('dataloader', () => {
  let telemetry: Telemetry;
  let instrumentation: Instrumentation;

  beforeEach(() => {
    telemetry = registerTelemetry();
    [instrumentation] = getInstrumentations().filter(
      ({ instrumentationName }) => instrumentationName === 'clew/dataloader',
    ) as [Instrumentation];
    instrumentation.enable();
    instrumentation.instrument(DataLoader);
  });

  afterEach(() => instrumentation.disable());

  const batches = () => telemetry.spans().filter(({ name }) => name.startsWith('batch'));
  const idOf = (name: string) =>
    telemetry
      .spans()
      .find((span) => span.name === `caller ${name}`)
      ?.spanContext().spanId;

  it('continues each load in its own caller, and links the batch to all of them', async () => {
    const inside: string[] = [];
    const loader = new DataLoader(
      async (keys: readonly string[]) => {
        inside.push(caller());
        return keys;
      },
      { name: 'users' },
    );
    const places = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        asCaller(
          name,
          async () => {
            await loader.load(name);
            return caller() === name;
          },
          { withSpan: true },
        ),
      ),
    );
    assert.deepEqual(places, [true, true, true]);
    const [batch, ...others] = batches();
    assert.equal(others.length, 0);
    assert.equal(batch?.name, 'batch users');
    assert.equal(batch?.parentSpanContext, undefined);
    assert.deepEqual(
      batch?.links.map(({ context }) => context.spanId),
      ['a', 'b', 'c'].map(idOf),
    );
    // Of several callers none lends its context to the others.
    assert.deepEqual(inside, ['nobody']);
  });

  it('makes the batch a part of its only caller', async () => {
    const spans: unknown[] = [];
    const loader = new DataLoader(async (keys: readonly number[]) => {
      spans.push(trace.getActiveSpan()?.spanContext().spanId);
      assert.equal(caller(), 'a');
      return keys;
    });
    await asCaller('a', () => loader.loadMany([1, 2, 3]), { withSpan: true });
    const [batch] = batches();
    assert.equal(batch?.parentSpanContext?.spanId, idOf('a'));
    assert.deepEqual(spans, [batch?.spanContext().spanId]);
    assert.equal(batch?.attributes['clew.batch.size'], 3);
  });

  it('links nobody whose key was cached to a batch that did not load it', async () => {
    const loader = new DataLoader(async (keys: readonly string[]) => keys);
    await asCaller('a', () => loader.load('x'), { withSpan: true });
    await Promise.all([
      asCaller('b', () => loader.load('x'), { withSpan: true }),
      asCaller('c', () => loader.load('y'), { withSpan: true }),
    ]);
    const [, second, ...others] = batches();
    assert.equal(others.length, 0);
    assert.deepEqual(
      second?.links.map(({ context }) => context.spanId),
      [idOf('c')],
    );
  });

  it('says that a batch failed, without the message', async () => {
    const loader = new DataLoader(async () => {
      throw new RangeError('secret');
    });
    await asCaller('a', () => assert.rejects(loader.load(1)), { withSpan: true });
    const [batch] = batches();
    assert.equal(batch?.attributes['error.type'], 'RangeError');
    assert.doesNotMatch(JSON.stringify([batch?.attributes, batch?.status]), /secret/);
  });
});
