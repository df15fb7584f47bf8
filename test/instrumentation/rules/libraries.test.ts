import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { runsHere, type Row, type Scenario } from '../../fixtures/rules/scenario.ts';
import { scenarios } from '../../fixtures/rules/scenarios.ts';
import { requireService } from '../../support/services.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/rules/${name}`, import.meta.url));

interface Outcome {
  title: string;
  rows: Row[];
  error?: string;
}

/** Runs all scenarios in a process of their own, with the rules or without. */
async function runAll(
  way: string,
  repair: 'on' | 'off',
  env: NodeJS.ProcessEnv,
): Promise<Map<string, Outcome>> {
  const args = ['--import', fixture('preload.js'), fixture('run.js'), way];
  const options = {
    env: { ...process.env, ...env, CLEW_REPAIR: repair, NODE_NO_WARNINGS: '1' },
    maxBuffer: 64 << 20,
  };
  // A scenario that hangs ends the process; what was printed names it.
  const { stdout } = await promisify(execFile)(process.execPath, args, options).catch(
    (error: { stdout: string }) => error,
  );
  const outcomes = stdout
    .split('\n')
    .filter((line) => line.startsWith('{"title"'))
    .map((line) => JSON.parse(line) as Outcome);
  return new Map(outcomes.map((outcome) => [outcome.title, outcome]));
}

const strays = (scenario: Scenario, { rows }: Outcome): Row[] =>
  rows.filter(
    ({ caller, als, otel }) => otel !== caller || (scenario.judge !== 'trace' && als !== caller),
  );

for (const way of ['require', 'import'] as const) {
  const manager = way === 'require' ? 'OpenTelemetry’s manager' : 'our manager';

  describe(`built-in rules, libraries loaded by ${way}, under ${manager}`, () => {
    let bare: Map<string, Outcome>;
    let repaired: Map<string, Outcome>;

    before(async function () {
      this.timeout(120_000);
      const env = { REDIS_URL: await requireService(this, 'redis') };
      [bare, repaired] = await Promise.all([runAll(way, 'off', env), runAll(way, 'on', env)]);
    });

    for (const scenario of scenarios) {
      if (!runsHere(scenario, way)) continue;

      it(`${scenario.today === 'lost' ? 'repairs' : 'leaves right'} ${scenario.title}`, () => {
        const off = bare.get(scenario.title);
        const on = repaired.get(scenario.title);
        assert.ok(off && on, 'the scenario did not run');
        assert.equal(off.error, undefined);
        assert.equal(on.error, undefined);
        assert.ok(on.rows.length > 0);
        assert.equal(strays(scenario, off).length > 0, scenario.today === 'lost', 'without rules');
        assert.deepEqual(strays(scenario, on), [], 'with rules');
      });

      it(`changes nothing else in ${scenario.title}`, () => {
        const shown = (outcome: Outcome | undefined): unknown => {
          const rows = outcome?.rows.map(({ caller, observed }) => [caller, ...observed]) ?? [];
          if (!scenario.interleaved && !scenario.unordered) return rows;
          // Sorting is stable: where only callers compete, each one's own order stays.
          const keyOf = (row: unknown[]): string =>
            scenario.unordered ? JSON.stringify(row) : String(row[0]);
          return rows.sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
        };
        assert.deepEqual(shown(repaired.get(scenario.title)), shown(bare.get(scenario.title)));
      });
    }
  });
}
