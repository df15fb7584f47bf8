import { oracle, ours } from '../contract/managers.ts';
import { runCampaign } from './campaign.ts';

/*
 * npm run test:random: at least 100,000 observations for each store and for OpenTelemetry's manager.
 * `SEED=n` repeats a run; `OBSERVATIONS=n` makes it shorter or longer.
 */
const print = (text: string): boolean => process.stdout.write(`${text}\n`);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
const observations = Number(process.env['OBSERVATIONS'] ?? 100_000);
print(`seed ${seed}, Node ${process.version}`);
for (const { name, make } of [...ours, oracle]) {
  const report = await runCampaign({ make, seed, observations });
  print(
    `${name}: ${report.programs} programs, ${report.observations} observations, ${report.wrong.length} wrong`,
  );
  if (report.failing === undefined) continue;
  print(report.wrong.slice(0, 10).join('\n'));
  print(`program seed ${report.failing.seed}, made as small as it gets:`);
  print(JSON.stringify(report.failing.program, undefined, 2));
  process.exitCode = 1;
}
