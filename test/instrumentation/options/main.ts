import { readFileSync, writeFileSync } from 'node:fs';

import { README, withTable } from './table.ts';

/* Writes the table of the clients' options into the README. */
writeFileSync(README, await withTable(readFileSync(README, 'utf8')));
