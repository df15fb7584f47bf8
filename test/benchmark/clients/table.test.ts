import assert from 'node:assert/strict';

import { readRuns, renderRuns, withRun } from '../../../benchmark/clients/table.ts';

const machine = (date: string): string =>
  JSON.stringify({ date, node: 'v24.1.0', cpu: 'a CPU', cores: 2, load: 0.5 });
const record = (name: string, variant: string, ...costs: number[]): string =>
  JSON.stringify({ case: name, variant, costs });

const FIRST = [
  machine('2026-01-01T00:00'),
  record('pg query', 'bare', 10, 10),
  record('pg query', 'clew-on', 12, 12),
  record('mysql query', 'bare', 20, 20),
].join('\n');
const SECOND = [
  machine('2026-02-02T00:00'),
  record('pg query', 'bare', 10, 10),
  record('pg query', 'clew-on', 15, 15),
].join('\n');

describe('The record of the client benchmarks', () => {
  it('replaces the calls that were measured again and keeps the others with their machine', () => {
    const runs = readRuns(withRun(FIRST, SECOND));
    assert.deepEqual(
      runs.map((run) => [run.machine.date, run.records.map((found) => found.case)]),
      [
        ['2026-01-01T00:00', ['mysql query']],
        ['2026-02-02T00:00', ['pg query', 'pg query']],
      ],
    );
  });

  it('forgets a run of which nothing is left', () => {
    assert.equal(readRuns(withRun(SECOND, SECOND)).length, 1);
  });

  it('makes a table of each run, and marks what costs more than is asked for', () => {
    const page = renderRuns(readRuns(withRun(FIRST, SECOND)));
    assert.match(page, /^### Node 24\n/);
    assert.match(page, /2026-01-01; medians of 2 rounds\.[^]*\| mysql query \| 20\.0/);
    assert.match(page, /2026-02-02; medians of 2 rounds\.[^]*\| pg query \| 10\.0 .*\*\*\+5\.0/);
  });
});
