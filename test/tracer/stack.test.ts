import assert from 'node:assert/strict';

import { creationLine } from '../../src/tracer/stack.ts';

describe('creationLine', () => {
  const node = 'Server.listen (node:net:10:5)';
  const library = 'connect (node_modules/pg/lib/client.js:3:4)';
  const own = 'async handle (src/orders.js:14:9)';

  it("prefers the application's line to a library's, and that to Node's", () => {
    assert.equal(creationLine([node, 'new Promise (<anonymous>)', library, own]), own);
    assert.equal(creationLine([node, library]), library);
    assert.equal(creationLine([node]), node);
    assert.equal(creationLine([]), undefined);
  });
});
