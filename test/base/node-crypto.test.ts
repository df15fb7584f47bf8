import assert from 'node:assert/strict';

import { uniqueId } from '../../src/base/node-crypto.ts';

describe('uniqueId', () => {
  it('makes UUIDs of version 4, each another', () => {
    const made = Array.from({ length: 2000 }, () => uniqueId());
    for (const id of made) {
      assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    }
    assert.equal(new Set(made).size, made.length);
  });
});
