import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../support/instances.ts';
import { faultsOf, sumOf, type Book } from '../support/books.ts';
import { runApp, type Ending } from '../support/fixture.ts';
import { spanIdsIn } from '../support/spool-files.ts';
import { Collector } from './collector.ts';
import type { Scenario } from './scenarios.ts';

export type Pipeline = 'clew' | 'sdk' | 'none';

export interface Row {
  /** Spans that did not arrive, of those that somebody could have delivered. */
  lost: number;
  /** Spans that arrived more than once, as exact copies. */
  copies: number;
  /** What is wrong beyond losses: another exit status, sums that do not hold, visible duplicates. */
  faults: string[];
}

/** Runs a scenario with one pipeline, against a collector of its own. */
export async function runScenario(
  scenario: Scenario,
  pipeline: Pipeline,
  node: string = process.execPath,
): Promise<Row> {
  const port = await freePort();
  const collector = new Collector(port, scenario);
  const folder = mkdtempSync(join(tmpdir(), 'clew-table-'));
  const spool = join(folder, 'spool');
  try {
    await collector.begin();
    const env: Record<string, string> = { PIPELINE: pipeline, ...scenario.env };
    env['COUNT'] ??= String(scenario.count);
    if (scenario.options) env['OPTIONS'] = JSON.stringify(scenario.options);
    if (scenario.spool) env['SPOOL'] = spool;
    const { end, signal, nodeOptions = [] } = scenario;
    const run = (which: string): Promise<Ending> => {
      return runApp(which, `http://127.0.0.1:${port}`, {
        env,
        node,
        nodeOptions,
        ...(signal && { onReady: (child) => child.kill(signal) }),
      });
    };
    const ending = await run(end);
    const faults: string[] = [];
    const status = ending.signal ?? ending.code;
    if (status !== scenario.status) faults.push(`ended with ${status}, not ${scenario.status}`);
    if (pipeline === 'clew') faults.push(...faultsOf(ending.books, scenario.count));
    if (scenario.spool && pipeline === 'clew') {
      const onDisk = spanIdsIn(spool);
      const arrived = collector.arrived;
      env['COUNT'] = '0';
      const next = await run('shutdown');
      faults.push(...auditCrash(scenario, arrived, onDisk, next.books));
    } else if (pipeline === 'clew') {
      faults.push(...auditEnd(scenario, collector.arrived.size, ending.books));
    }
    return judge(scenario, collector, faults);
  } finally {
    await collector.end();
    rmSync(folder, { recursive: true });
  }
}

function judge(scenario: Scenario, collector: Collector, faults: string[]): Row {
  const lost = scenario.count - (scenario.refused ?? 0) - collector.arrived.size;
  const { exactCopies, otherCopies } = collector;
  if (otherCopies > 0) faults.push(`${otherCopies} arrived again with another content`);
  if (scenario.once && exactCopies > 0) faults.push(`${exactCopies} arrived twice`);
  return { lost, copies: exactCopies, faults };
}

/** Whether what the books say at the end is what the collector saw. */
function auditEnd(scenario: Scenario, arrived: number, books: readonly Book[]): string[] {
  const faults: string[] = [];
  const accepted = sumOf(books, 'accepted');
  if (accepted !== arrived) faults.push(`${accepted} counted as accepted, ${arrived} arrived`);
  const refused = sumOf(books, 'rejected') + sumOf(books, 'dropped');
  if (refused !== (scenario.refused ?? 0)) faults.push(`${refused} counted as refused`);
  return faults;
}

/**
 * The sums across a crash: what had ended is at the collector or on disk at the moment of death, and
 * the next start takes over just what is on disk.
 */
function auditCrash(
  scenario: Scenario,
  arrived: ReadonlySet<string>,
  onDisk: ReadonlySet<string>,
  books: readonly Book[],
): string[] {
  const faults = faultsOf(books, 0);
  const somewhere = new Set([...arrived, ...onDisk]).size;
  if (somewhere !== scenario.count) faults.push(`${somewhere} arrived or were on disk`);
  const adopted = sumOf(books, 'adopted');
  if (adopted !== onDisk.size) faults.push(`${adopted} adopted of ${onDisk.size} on disk`);
  const accepted = sumOf(books, 'accepted');
  if (accepted !== adopted) faults.push(`${accepted} of ${adopted} adopted counted as accepted`);
  return faults;
}
