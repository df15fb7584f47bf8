import assert from 'node:assert/strict';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

import { getInstrumentations } from '../../../src/instrumentation/index.ts';
import { requireService } from '../../support/services.ts';
import { asCaller, caller } from '../support/callers.ts';
import { registerContextManager, registerTelemetry } from '../support/telemetry.ts';
import { mysqlFamily } from './events/mysql-family.ts';
import { others } from './events/others.ts';
import { embedded } from './events/embedded.ts';
import { knexAndPostgres } from './events/knex-and-postgres.ts';
import { postgresql } from './events/postgresql.ts';
import { redisFamily } from './events/redis.ts';
import { redisServers } from './events/redis-servers.ts';
import { require, type EventScenario } from './events/scenario.ts';

/** Which callers each event was emitted for. */
type Heard = Map<string, Set<string>>;

async function hear(scenario: EventScenario, url: string, require: NodeJS.Require): Promise<Heard> {
  const heard: Heard = new Map();
  const hears = (event: string) => (): void => {
    heard.set(event, (heard.get(event) ?? new Set()).add(caller()));
  };
  await context.with(ROOT_CONTEXT, () =>
    scenario.run({
      url,
      require,
      hears,
      listen(emitter, events) {
        context.with(ROOT_CONTEXT, () => {
          for (const event of events) emitter.on(event, hears(event));
        });
      },
      as: (name, fn) => asCaller(name, fn, { withSpan: true }),
    }),
  );
  return heard;
}

function withoutNobody(callers: ReadonlySet<string>): string {
  return [...callers]
    .filter((name) => name !== 'nobody')
    .toSorted()
    .join('');
}

describe('Events of clients run in the context of the caller that they run in without us', () => {
  for (const scenario of [
    ...postgresql,
    ...mysqlFamily,
    ...redisFamily,
    ...redisServers,
    ...knexAndPostgres,
    ...embedded,
    ...others,
  ]) {
    it(`${scenario.client}: ${scenario.name}`, async function () {
      this.timeout(120_000);
      const url = scenario.service ? await requireService(this, scenario.service) : '';
      registerContextManager(new AsyncLocalStorageContextManager());
      const find = scenario.find?.(this) ?? require;
      const bare = await hear(scenario, url, find);
      registerTelemetry(new AsyncLocalStorageContextManager());
      const instrumentations = getInstrumentations();
      for (const each of instrumentations) each.enable();
      let ours: Heard;
      try {
        ours = await hear(scenario, url, find);
      } finally {
        for (const each of instrumentations) each.disable();
      }
      for (const [event, callers] of bare) {
        const without = withoutNobody(callers);
        if (without === '' || scenario.nobodys?.[event]) continue;
        assert.equal(
          // What is also told in nobody's context without us may be so with us.
          callers.has('nobody')
            ? withoutNobody(ours.get(event) ?? new Set())
            : [...(ours.get(event) ?? [])].toSorted().join(''),
          scenario.callers?.[event] ?? without,
          `${event} runs elsewhere than in the context of its caller`,
        );
      }
      // What is not emitted any more needs no reason.
      for (const event of Object.keys({ ...scenario.callers, ...scenario.nobodys })) {
        assert.ok(bare.has(event), `There is no event ${event}`);
      }
    });
  }
});
