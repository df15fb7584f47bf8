import assert from 'node:assert/strict';

import { slopeOf } from './slope.ts';

describe('slopeOf', () => {
  it('finds the slope of a line through noise and outliers', () => {
    const samples = Array.from({ length: 60 }, (_, i) => 1000 + 7 * i + ((i * 31) % 13) * 5);
    samples[20] = 1e6;
    samples[40] = 0;
    const slope = slopeOf(samples);
    assert.ok(slope > 6 && slope < 8, `${slope}`);
  });

  it('is nothing for samples that only jitter, and for one alone', () => {
    const slope = slopeOf(Array.from({ length: 60 }, (_, i) => 1000 + ((i * 31) % 13) * 50));
    assert.ok(Math.abs(slope) < 3, `${slope}`);
    assert.equal(slopeOf([5]), 0);
  });
});
