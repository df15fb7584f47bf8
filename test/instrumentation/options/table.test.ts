import assert from 'node:assert/strict';

import { currentMessagingTable, currentTable, messagingTable, table } from './table.ts';

describe('the table of the clients’ options', () => {
  it('matches the code; `npm run docs:options` writes it', async () => {
    assert.equal(currentTable(), await table());
  });
});

describe('the table of the options of producers and consumers', () => {
  it('matches the code; `npm run docs:options` writes it', async () => {
    assert.equal(currentMessagingTable(), await messagingTable());
  });
});
