import { isLong } from './long-tests.ts';
import { lastLine, runGroups } from './run-groups.ts';

/*
 * Runs the compiled tests under this Node: `npm test -- --grep pool`, `npm test -- build/test/config.test.js`.
 * What takes long is left out, unless its file is named; `--long` runs just that.
 */

const args = process.argv.slice(2).filter((arg) => arg !== '--long');
const wantsLong = process.argv.includes('--long');
const counts = await runGroups(process.execPath, args, (file) => isLong(file) !== wantsLong);
if (!wantsLong) console.log('\nWhat takes long was left out: npm run test:long runs it.');
console.log(`\n${lastLine(counts)}`);
process.exitCode = counts.failed === 0 ? 0 : 1;
