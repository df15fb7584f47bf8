import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { KNOWN_VARIABLES } from '../src/known-variables.ts';

describe('KNOWN_VARIABLES', () => {
  it('are those that the documentation lists, and those between the processes of a command', () => {
    const page = readFileSync('docs/configuration.md', 'utf8');
    const documented = [...page.matchAll(/`(CLEW_[A-Z_]+)`/g)].map(([, name]) => name!);
    const between = [
      'CLEW_COLLECTOR_REPORTED',
      'CLEW_DOCTOR',
      'CLEW_RECORD_START',
      'CLEW_REPORT_START',
      'CLEW_RUN_REPORT',
    ];
    const all = [...new Set([...documented, ...between])].toSorted();
    assert.deepEqual([...KNOWN_VARIABLES].toSorted(), all);
  });
});
