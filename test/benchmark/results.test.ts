import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { BenchmarkGroup } from '../../benchmark/harness/group.ts';
import { GROUP_NAMES, loadGroup } from '../../benchmark/harness/groups.ts';
import { readRuns, withRun, type Run } from '../../benchmark/harness/results.ts';
import { figuresTable, losses } from '../../benchmark/report/figures.ts';
import { tablesOf } from '../../benchmark/report/tables.ts';
import { renderedPages } from '../../benchmark/report/write.ts';
import { ROOT } from '../documents/support/page.ts';

const machine = (date: string): string =>
  JSON.stringify({ date, node: 'v24.1.0', cpu: 'a CPU', cores: 2, load: 0.5 });
const record = (name: string, variant: string, costs: number[], metric?: string): string =>
  JSON.stringify({ case: name, variant, unit: 'us CPU', costs, metric });

const FIRST = [
  machine('2026-01-01T00:00'),
  record('pg query', 'bare', [10, 10]),
  record('pg query', 'clew-on', [12, 12]),
  record('mysql query', 'bare', [20, 20]),
].join('\n');
const SECOND = [
  machine('2026-02-02T00:00'),
  record('pg query', 'bare', [10, 10, 20]),
  record('pg query', 'clew-on', [15, 15, 30]),
  record('pg query', 'official-on', [12, 12, 24]),
].join('\n');

const CLIENTS: BenchmarkGroup = {
  description: '',
  mark: '',
  variants: ['bare', 'clew-on', 'official-on'],
  baseline: 'bare',
  ours: ['clew-on'],
  peers: ['official-on'],
  cases: [],
};
const APP: BenchmarkGroup = { ...CLIENTS, render: 'metrics' };

function resultsOf(group: BenchmarkGroup, ...records: string[]): Run[] {
  assert.ok(group);
  return readRuns([machine('2026-03-03T00:00'), ...records].join('\n'));
}

describe('The results of the benchmarks', function () {
  // Each group loads the libraries that it measures.
  this.timeout(180_000);

  it('replace the cases that were measured again and keep the others with their machine', () => {
    const runs = readRuns(withRun(FIRST, SECOND));
    assert.deepEqual(
      runs.map((run) => [run.machine.date, run.records.map((found) => found.case)]),
      [
        ['2026-01-01T00:00', ['mysql query']],
        ['2026-02-02T00:00', ['pg query', 'pg query', 'pg query']],
      ],
    );
  });

  it('forget a run of which nothing is left', () => {
    assert.equal(readRuns(withRun(SECOND, SECOND)).length, 1);
  });

  it('are a table for each run, whose cells begin with the ratio of the rounds', () => {
    const page = tablesOf(CLIENTS, readRuns(withRun(FIRST, SECOND)));
    assert.match(page, /\| mysql query \| 20\.0 us ±0 % \|[^]*2026-01-01; medians of 2 rounds/);
    assert.match(page, /\| pg query \| 10\.0 us ±0 % \| 1\.50 \(\+5\.00\) \| 1\.20 \(\+2\.00\) \|/);
  });

  it('show what each part adds to the one before, and what all of them do', () => {
    const group: BenchmarkGroup = { ...CLIENTS, render: 'parts', variants: ['bare', 'a', 'b'] };
    const runs = resultsOf(
      group,
      record('express', 'bare', [10, 12], 'cpu'),
      record('express', 'a', [15, 17], 'cpu'),
      record('express', 'b', [14, 16], 'cpu'),
    );
    const rows = tablesOf(group, runs).split('\n').slice(2, 6);
    assert.deepEqual(
      rows.map((row) => row.split(' | ').slice(0, 2).join(' ')),
      ['| bare 11', '| a +5.0', '| b -1.0', '| all of it +4.0'],
    );
  });

  it('are a table for each case that has several results, with a row for each variant', () => {
    const runs = resultsOf(
      APP,
      record('express', 'bare', [10], 'cpu'),
      record('express', 'bare', [100], 'rate'),
      record('express', 'clew-on', [20], 'cpu'),
      record('express', 'clew-on', [50], 'rate'),
    );
    const page = tablesOf(APP, runs);
    assert.match(page, /\| bare \| 10\.0 \| 100 \| 0 % \|/);
    assert.match(page, /\| clew-on \| 2\.00 \(\+10\.0\) \| 0\.50 \(-50\.0\) \| 0 % \|/);
  });

  it('name the cases in which another tool is better, and no others', () => {
    const lost = (...records: string[]): string =>
      losses(new Map([['app', { group: APP, runs: resultsOf(APP, ...records) }]]));
    const base = record('express', 'bare', [10, 10, 10], 'cpu');
    assert.equal(
      lost(
        base,
        record('express', 'clew-on', [15, 15, 15], 'cpu'),
        record('express', 'official-on', [12, 12, 12], 'cpu'),
      ),
      '- app, express, us CPU: clew-on 1.50, official-on 1.20',
    );
    // Within the spread of both.
    const noisy = [record('express', 'clew-on', [11, 15, 19], 'cpu'), base];
    assert.match(lost(...noisy, record('express', 'official-on', [12, 12, 12], 'cpu')), /^Nowhere/);
    // Of requests a second, more is better.
    const rates = [
      record('express', 'bare', [100], 'rate'),
      record('express', 'clew-on', [90], 'rate'),
    ];
    assert.match(lost(...rates, record('express', 'official-on', [50], 'rate')), /^Nowhere/);
    assert.match(lost(...rates, record('express', 'official-on', [99], 'rate')), /clew-on 0\.90/);
  });

  it('give the figures on top, or say that one was not measured', () => {
    const runs = resultsOf(
      APP,
      record('express, 8 connections', 'bare', [100], 'cpu'),
      record('express, 8 connections', 'clew', [150], 'cpu'),
      record('express, 8 connections', 'official', [220], 'cpu'),
    );
    const figures = figuresTable(new Map([['app', { group: APP, runs }]])).split('\n');
    assert.equal(figures.length, 7);
    assert.match(figures[2]!, /\| \*\*× 1\.50\*\* \| × 2\.20 \| not measured \| not measured \|/);
  });

  it('are in the documents as they are; `npm run bench -- --tables` writes them', async () => {
    const pages = await renderedPages();
    assert.ok(pages.has('benchmark/README.md'));
    for (const [path, text] of pages)
      assert.equal(readFileSync(join(ROOT, path), 'utf8'), text, path);
  });

  it('have a place in benchmark/README.md for every group', async () => {
    const page = readFileSync(join(ROOT, 'benchmark/README.md'), 'utf8');
    for (const name of GROUP_NAMES) {
      const { mark } = await loadGroup(name);
      assert.ok(page.includes(`<!-- begin ${mark} -->`), mark);
    }
  });
});
