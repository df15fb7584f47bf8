import { Running } from '../app/measure.ts';
import { VARIANTS } from '../app/variants.ts';
import type { BenchmarkCase, BenchmarkGroup } from '../harness/group.ts';

/*
 * The same small service under each tool's own preload, every span really sent to a collector on
 * loopback: the process of a case starts service, collector and load as processes of their own. What is
 * measured is the service.
 */
const NAMES = Object.keys(VARIANTS).filter((name) => name !== 'clew, disabled');
/** A round is longer than the seconds in which each tool sends what it has. */
const REQUESTS = 6000;

function service(
  framework: string,
  connections: number,
  variants: readonly string[],
): BenchmarkCase {
  return {
    name: `${framework}, ${connections} connections`,
    variants,
    metrics: {
      cpu: 'us CPU',
      main: 'us of the main thread',
      rate: 'requests/s',
      p99: 'ms p99',
      memory: 'MB',
      bytes: 'bytes sent',
    },
    prepare: async (variant) => {
      const running = await Running.start(variant, framework, connections);
      return {
        preflight: async () => {
          await running.preflight(variant);
          await running.warmUp();
        },
        run: (count) => running.round(count),
        count: REQUESTS,
        warmUps: 0,
        close: () => running.stop(),
      };
    },
  };
}

export const group: BenchmarkGroup = {
  description:
    'a request of one small service (two pg queries and a Redis command) under the preload of each tool, every span sent',
  mark: 'bench-app',
  variants: NAMES,
  baseline: 'bare',
  ours: ['clew'],
  peers: ['dd-trace', 'official', 'Sentry'],
  services: ['postgresql', 'redis'],
  rounds: 5,
  quick: { cases: ['express, 8 connections'] },
  render: 'metrics',
  cases: [
    ...['plain', 'express', 'fastify'].map((framework) => service(framework, 8, NAMES)),
    ...[1, 64, 1000].map((connections) => service('express', connections, NAMES)),
  ],
};
