import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { imbalance, type DeliveryStats } from '../../../src/export/stats.ts';
import { freePort } from '../../support/instances.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { runApp, type Ending } from '../support/fixture.ts';
import type { Scenario } from './scenarios.ts';

export type Pipeline = 'clew' | 'sdk' | 'none';

export interface Row {
  /** Spans that did not arrive, of those that somebody could have delivered. */
  lost: number;
  duplicates: number;
  millis: number;
  /** What is wrong beyond losses: another exit status, sums that do not hold. */
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
  const spool = mkdtempSync(join(tmpdir(), 'clew-table-'));
  try {
    await collector.begin();
    const env: Record<string, string> = { PIPELINE: pipeline, ...scenario.env };
    if (scenario.options) env['OPTIONS'] = JSON.stringify(scenario.options);
    if (scenario.spool) env['SPOOL'] = join(spool, 'spool');
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
    if (scenario.spool) {
      env['COUNT'] = '0';
      await run('shutdown');
    }
    return judge(scenario, pipeline, ending, collector);
  } finally {
    await collector.end();
    rmSync(spool, { recursive: true });
  }
}

function judge(
  scenario: Scenario,
  pipeline: Pipeline,
  ending: Ending,
  { arrived, duplicates }: Collector,
): Row {
  const faults: string[] = [];
  const status = ending.signal ?? ending.code;
  if (status !== scenario.status) faults.push(`ended with ${status}, not ${scenario.status}`);
  const stats = /^stats (\{.*\})$/m.exec(ending.stdout)?.[1];
  if (stats && pipeline === 'clew')
    faults.push(...audit(JSON.parse(stats) as DeliveryStats, scenario, arrived));
  const lost = scenario.count - (scenario.refused ?? 0) - arrived;
  return { lost, duplicates, millis: ending.millis, faults };
}

/** The equation, and whether it says what the collector saw. */
function audit(stats: DeliveryStats, scenario: Scenario, arrived: number): string[] {
  const faults: string[] = [];
  if (imbalance(stats) !== 0) faults.push(`the sums miss by ${imbalance(stats)}`);
  if (stats.ended !== scenario.count) faults.push(`${stats.ended} counted as ended`);
  if (stats.accepted !== arrived) faults.push(`${stats.accepted} counted as accepted`);
  const refused = stats.rejected + stats.droppedBy.refused;
  if (refused !== (scenario.refused ?? 0)) faults.push(`${refused} counted as refused`);
  return faults;
}

/** A collector that goes away and comes back on the same port. */
class Collector {
  readonly #port: number;
  readonly #scenario: Scenario;
  readonly #receivers: OtlpReceiver[] = [];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(port: number, scenario: Scenario) {
    this.#port = port;
    this.#scenario = scenario;
  }

  get arrived(): number {
    return new Set(this.#receivers.flatMap(({ spans }) => spans.map(({ spanId }) => spanId))).size;
  }

  get duplicates(): number {
    return this.#receivers.reduce((sum, { spans }) => sum + spans.length, 0) - this.arrived;
  }

  async begin(): Promise<void> {
    await this.#listen();
    const { outage } = this.#scenario;
    if (!outage) return;
    const later = (action: () => Promise<void>, millis: number): void => {
      this.#timers.push(setTimeout(() => void action(), millis));
    };
    later(() => this.#receivers[0]?.close() ?? Promise.resolve(), outage[0]);
    later(() => this.#listen(), outage[1]);
  }

  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const receiver of this.#receivers) await receiver.close();
  }

  async #listen(): Promise<void> {
    const receiver = new OtlpReceiver({ fault: this.#scenario.fault });
    this.#receivers.push(await receiver.listen(this.#port));
  }
}
