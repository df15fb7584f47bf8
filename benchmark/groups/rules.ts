import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';

import type { BenchmarkGroup } from '../harness/group.ts';
import { cases } from '../rules/cases.ts';

const store = new AsyncLocalStorage<string>();

/**
 * What a rule of each kind costs for one unit of work beside the library as it is, under an active
 * context. CPU time: the machine may be busy.
 */
export const group: BenchmarkGroup = {
  description: 'a unit of work with a repair rule, against the library without it (CPU time)',
  variants: ['bare', 'rule'],
  baseline: 'bare',
  mark: 'bench-rules',
  cases: cases.map(({ name, make }) => ({
    name,
    prepare: (variant) => {
      const unit = make()[variant === 'bare' ? 'bare' : 'ruled'];
      return {
        async preflight() {
          await unit.run(7);
          assert.equal(unit.done(), 7);
        },
        run: (count) =>
          store.run('request', async () => {
            const start = process.cpuUsage();
            await unit.run(count);
            const { user, system } = process.cpuUsage(start);
            return (user + system) * 1000;
          }),
      };
    },
  })),
};
