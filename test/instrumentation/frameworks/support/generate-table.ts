import { readFileSync, writeFileSync } from 'node:fs';

import { withGenerated } from '../../../support/generated-part.ts';
import { frameworksTable } from './table.ts';

/** Writes the table of frameworks into its page. */
const page = new URL('../../../../../docs/frameworks.md', import.meta.url);
writeFileSync(page, withGenerated(readFileSync(page, 'utf8'), 'frameworks', frameworksTable()));
