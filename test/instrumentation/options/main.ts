import { readFileSync, writeFileSync } from 'node:fs';

import { MESSAGING_PAGE, OPTIONS_PAGE, withMessagingTable, withTable } from './table.ts';

/* Writes the tables of options into the pages of configuration and of producers and consumers. */
writeFileSync(OPTIONS_PAGE, await withTable(readFileSync(OPTIONS_PAGE, 'utf8')));
writeFileSync(MESSAGING_PAGE, await withMessagingTable(readFileSync(MESSAGING_PAGE, 'utf8')));
