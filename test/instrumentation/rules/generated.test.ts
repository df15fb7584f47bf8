import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { parseRules } from '../../../src/instrumentation/rules/rule-file.ts';
import { DOCS_FILE, SCHEMA_FILE, schemaText, TABLE_FILES, withTable } from './generate.ts';

describe('what `npm run rules:generate` writes', () => {
  it('has the schema of rule files up to date', async () => {
    assert.equal(readFileSync(SCHEMA_FILE, 'utf8'), await schemaText());
  });

  it('has the table of libraries up to date', async () => {
    for (const file of TABLE_FILES) {
      const text = readFileSync(file, 'utf8');
      assert.equal(text, await withTable(text));
    }
  });

  it('stands beside examples of rule files that can be read', () => {
    const blocks = [...readFileSync(DOCS_FILE, 'utf8').matchAll(/```json\n([^`]*)```/g)];
    assert.ok(blocks.length > 0);
    for (const [, block = ''] of blocks) assert.ok(parseRules(block, 'docs/rules.md').length > 0);
  });
});
