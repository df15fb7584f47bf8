import assert from 'node:assert/strict';

import { currentTable, table } from './table.ts';

describe('the table of the clients’ options', () => {
  it('is what the code says; `npm run docs:options` writes it', async () => {
    assert.equal(currentTable(), await table());
  });
});
