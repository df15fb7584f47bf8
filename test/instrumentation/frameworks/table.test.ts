import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { generatedPart } from '../../support/generated-part.ts';
import { frameworksTable } from './support/table.ts';

describe('the page about frameworks', () => {
  it('has the versions that are tested: npm run docs:frameworks writes them', () => {
    const page = new URL('../../../../docs/frameworks.md', import.meta.url);
    assert.equal(generatedPart(readFileSync(page, 'utf8'), 'frameworks'), frameworksTable());
  });
});
