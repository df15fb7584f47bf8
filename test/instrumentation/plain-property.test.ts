import assert from 'node:assert/strict';

import { plainProperty } from '../../src/instrumentation/plain-property.ts';

describe('plainProperty', () => {
  it('reads a value, of an object that inherits it not', () => {
    const config = { text: 'select 1' };
    assert.equal(plainProperty(config, 'text'), 'select 1');
    assert.equal(plainProperty(Object.create(config), 'text'), undefined);
  });

  it('calls no getter', () => {
    const config = {
      get text(): string {
        throw new Error('called');
      },
    };
    assert.equal(plainProperty(config, 'text'), undefined);
  });

  it('finds nothing in what is no object', () => {
    for (const value of [undefined, null, 'text', 1]) {
      assert.equal(plainProperty(value, 'length'), undefined);
    }
  });
});
