import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { withGenerated } from '../../support/generated-part.ts';
import { examine, exampleOf, PAGE, README, tableOf } from './table.ts';

/* Writes the table of libraries in docs/doctor.md and the README's example from runs. */
const table = tableOf(await examine());
writeFileSync(PAGE, withGenerated(readFileSync(PAGE, 'utf8'), 'libraries', table));
writeFileSync(README, withGenerated(readFileSync(README, 'utf8'), 'doctor', await exampleOf()));
await promisify(execFile)('npx', ['prettier', '--write', PAGE, README]);
process.stdout.write(`${table}\n`);
