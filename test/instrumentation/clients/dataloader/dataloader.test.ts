import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';

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

  it('does not link callers whose key was cached to a batch that did not load it', async () => {
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

  it('reports that a batch failed, without the message', async () => {
    const loader = new DataLoader(async () => {
      throw new RangeError('secret');
    });
    await asCaller('a', () => assert.rejects(loader.load(1)), { withSpan: true });
    const [batch] = batches();
    assert.equal(batch?.attributes['error.type'], 'RangeError');
    assert.doesNotMatch(JSON.stringify([batch?.attributes, batch?.status]), /secret/);
  });

  it('keeps the contexts of several callers from one another where none has a span', async () => {
    const inside: string[] = [];
    const loader = new DataLoader(async (keys: readonly string[]) => {
      inside.push(caller());
      await Promise.resolve();
      inside.push(caller());
      return keys;
    });
    await Promise.all(['a', 'b'].map((name) => asCaller(name, () => loader.load(name))));
    assert.deepEqual(inside, ['nobody', 'nobody']);
    inside.length = 0;
    await asCaller('a', () => loader.loadMany(['x', 'y']));
    assert.deepEqual(inside, ['a', 'a']);
    assert.equal(telemetry.spans().length, 0);
  });

  it('does so for other stores of the application as well', async () => {
    const store = new AsyncLocalStorage<string>();
    const inside: unknown[] = [];
    const loader = new DataLoader(async (keys: readonly string[]) => {
      inside.push(store.getStore());
      return keys;
    });
    const load = (name: string) => () => store.run(name, () => loader.load(name));
    await Promise.all(['a', 'b'].map((name) => asCaller(name, load(name), { withSpan: true })));
    await asCaller('c', load('c'), { withSpan: true });
    assert.deepEqual(inside, [undefined, 'c']);
  });

  it('makes the batch no caller’s child where one of its callers has no span', async () => {
    const loader = new DataLoader(async (keys: readonly string[]) => keys);
    await Promise.all([
      asCaller('a', () => loader.load('a'), { withSpan: true }),
      asCaller('b', () => loader.load('b')),
    ]);
    const [batch] = batches();
    assert.equal(batch?.parentSpanContext, undefined);
    assert.deepEqual(
      batch?.links.map(({ context }) => context.spanId),
      [idOf('a')],
    );
  });

  it('finds the only caller of a batch that is dispatched by other code', async () => {
    let dispatch = (): void => undefined;
    const loader = new DataLoader(
      async (keys: readonly string[]) => {
        assert.equal(caller(), 'a');
        return keys;
      },
      { batchScheduleFn: (load) => (dispatch = load) },
    );
    const loaded = asCaller('a', () => loader.load('x'));
    await asCaller('b', async () => dispatch());
    assert.equal(await loaded, 'x');
  });
});
