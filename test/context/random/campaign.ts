import type { ContextManager } from '@opentelemetry/api';

import { interpret, type Outcome } from './interpret.ts';
import { generate, smaller, type Step } from './program.ts';
import { startServers, stopServers, type Servers } from './sources.ts';

export interface Campaign {
  make: () => ContextManager;
  /** Printed with every failure; the same seed makes the same programs. */
  seed: number;
  /** Programs are made until there were so many observations. */
  observations: number;
}

export interface Report extends Outcome {
  programs: number;
  /** The smallest program found that still fails, and its seed. */
  failing?: { seed: number; program: Step[] };
}

/** Runs random programs, some at a time, and makes the first that fails as small as it gets. */
export async function runCampaign({ make, seed, observations }: Campaign): Promise<Report> {
  const servers = await startServers();
  const report: Report = { observations: 0, wrong: [], programs: 0 };
  const manager = make().enable();
  try {
    for (let next = seed; report.observations < observations; next += 8) {
      const seeds = Array.from({ length: 8 }, (_, index) => next + index);
      // Eight at once: their contexts must not meet.
      const outcomes = await Promise.all(
        seeds.map((own) => interpret(manager, generate(own, 40), servers)),
      );
      report.programs += outcomes.length;
      for (const [index, outcome] of outcomes.entries()) {
        report.observations += outcome.observations;
        if (outcome.wrong.length === 0) continue;
        report.wrong.push(...outcome.wrong);
        const failing = seeds[index] ?? seed;
        report.failing = {
          seed: failing,
          program: await shrink(manager, generate(failing, 40), servers),
        };
        return report;
      }
    }
    return report;
  } finally {
    manager.disable();
    await stopServers(servers);
  }
}

async function shrink(manager: ContextManager, program: Step[], servers: Servers): Promise<Step[]> {
  for (const less of smaller(program)) {
    const { wrong } = await interpret(manager, less, servers);
    if (wrong.length > 0) return shrink(manager, less, servers);
  }
  return program;
}
