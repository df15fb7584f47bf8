import assert from 'node:assert/strict';

import { ClewError, describeValue, optionError } from '../../src/base/errors.ts';

describe('ClewError', () => {
  it('carries a stable code beside its message', () => {
    const error = optionError('maxRecords', 'a positive integer', -1);
    assert.equal(error.code, 'ERR_OPTION');
    assert.equal(
      error.message,
      'Expected `maxRecords` to be a positive integer, got `-1` (number).',
    );
  });

  it('is recognised by instanceof across two copies of the package', async () => {
    const copy = (await import(
      `${new URL('../../src/base/errors.js', import.meta.url).href}?copy`
    )) as { ClewError: typeof ClewError };
    assert.notEqual(copy.ClewError, ClewError);
    assert.ok(new copy.ClewError('ERR_OPTION', 'x') instanceof ClewError);
    assert.ok(!(new Error('x') instanceof ClewError));
  });

  it('shows a hostile value without running into its errors', () => {
    const hostile = {
      toString: () => {
        throw new Error('no');
      },
    };
    assert.equal(describeValue(hostile), '`[object Object]` (object)');
    assert.ok(describeValue('x'.repeat(500)).length < 100);
  });
});
