import { lastLine, runGroups } from './run-groups.ts';

/* Runs the compiled tests under this Node: `npm test -- --grep pool`, `npm test -- build/test/config.test.js`. */

const counts = await runGroups(process.execPath, process.argv.slice(2));
console.log(`\n${lastLine(counts)}`);
process.exitCode = counts.failed === 0 ? 0 : 1;
