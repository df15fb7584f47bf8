import assert from 'node:assert/strict';

import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';
import type { AsyncTrace } from '../../src/tracer/record.ts';
import { shape } from '../../src/tracer/shape.ts';
import { buildAddOn, type Sum } from '../support/add-on.ts';
import { skipSuite } from '../support/services.ts';

describe('a tracer and a native add-on', () => {
  it("shows the add-on's async resource under its own type, from init to destroy", async function () {
    const { addOn, missing } = await buildAddOn<Sum>();
    if (!addOn) skipSuite(this, `a native add-on: ${missing} is not here`);
    const traces: AsyncTrace[] = [];
    const tracer = new AsyncResourceTracer({ onTrace: (trace) => traces.push(trace) });
    tracer.start('deep');
    const sum = await new Promise<number>((resolve) => addOn.sum(4, resolve));
    await new Promise((resolve) => setImmediate(resolve));
    tracer.stop();
    assert.equal(sum, 10);
    const records = traces.flatMap((trace) => trace.records);
    const record = records.find(({ type }) => type === 'SUM');
    assert.equal(record?.slices.length, 2);
    assert.ok(record.destroyedAt !== undefined && record.destroyedAt >= record.initAt);
    assert.match(record.stack?.join('\n') ?? '', /native-add-on\.test/);
    assert.ok(traces.some((trace) => shape(trace).nodes.some(({ name }) => name === 'SUM')));
  });
});
