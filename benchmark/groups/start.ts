import { VARIANTS } from '../app/variants.ts';
import type { BenchmarkCase, BenchmarkGroup } from '../harness/group.ts';
import { measureStart } from '../start/measure.ts';

const NAMES = Object.keys(VARIANTS).filter((name) => name !== 'clew, not sampled');

function startOf(name: string, program: string): BenchmarkCase {
  return {
    name,
    metrics: { wall: 'ms until it listens', cpu: 'ms CPU', memory: 'MB' },
    prepare: (variant) => ({
      preflight: async () => void (await measureStart(variant, program)),
      run: () => measureStart(variant, program),
      count: 1,
      warmUps: 0,
    }),
  };
}

export const group: BenchmarkGroup = {
  description: 'the start of an application under the preload of each tool',
  mark: 'bench-start',
  variants: NAMES,
  baseline: 'bare',
  ours: ['clew'],
  peers: ['dd-trace', 'official', 'Sentry'],
  services: ['postgresql', 'redis'],
  rounds: 9,
  quick: { rounds: 3 },
  render: 'metrics',
  cases: [
    startOf('the smallest application', '../start/smallest.js'),
    startOf('the service, on express', './service.js express'),
  ],
};
