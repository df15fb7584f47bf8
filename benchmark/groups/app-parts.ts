import { Running } from '../app/measure.ts';
import { PARTS } from '../app/parts.ts';
import type { BenchmarkGroup } from '../harness/group.ts';

/** A round is longer than the seconds in which spans are sent. */
const REQUESTS = 6000;
const CONNECTIONS = 8;

export const group: BenchmarkGroup = {
  description:
    'where each microsecond goes that clew adds to a request of the small service: one part more in each row',
  mark: 'bench-app-parts',
  variants: Object.keys(PARTS),
  baseline: 'bare',
  services: ['postgresql', 'redis'],
  rounds: 9,
  render: 'parts',
  cases: [
    {
      name: `express, ${CONNECTIONS} connections`,
      metrics: { cpu: 'us CPU', main: 'us of the main thread' },
      prepare: async (name) => {
        const running = await Running.startVariant(PARTS[name]!, 'express', CONNECTIONS);
        return {
          preflight: async () => {
            await running.preflight(name);
            await running.warmUp();
          },
          run: async (count) => {
            const { cpu, main } = await running.round(count);
            return { cpu, main };
          },
          count: REQUESTS,
          warmUps: 0,
          close: () => running.stop(),
        };
      },
    },
  ],
};
