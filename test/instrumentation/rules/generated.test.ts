import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { DOCS_FILE, SCHEMA_FILE, schemaText, withTable } from './generate.ts';

describe('what `npm run rules:generate` writes', () => {
  it('has the schema of rule files up to date', async () => {
    assert.equal(readFileSync(SCHEMA_FILE, 'utf8'), await schemaText());
  });

  it('has the table of libraries up to date', async () => {
    const text = readFileSync(DOCS_FILE, 'utf8');
    assert.equal(text, await withTable(text));
  });
});
