import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { setImmediate as immediate } from 'node:timers/promises';

import type * as Api from '@opentelemetry/api';

import type { ContextToken } from '../../../src/context/async-hooks-context-manager.ts';
import { ours, requireSdk3 } from './managers.ts';

/** What 1.10 adds. */
type Api110 = Omit<typeof Api, 'context'> & {
  context: typeof Api.context & { attach(context: Api.Context): Pick<ContextToken, 'dispose'> };
};

/** Where every copy of the api has its globals; the first that registers fixes the version. */
const GLOBALS = Symbol.for('opentelemetry.js.api.1');
const global: Record<symbol, unknown> = globalThis;

for (const contestant of ours) {
  describe(`${contestant.name}, registered with api 1.10`, () => {
    let api: Api110;
    let key: symbol;
    let context: Api110['context'];
    let globals: unknown;
    const named = (name: string): Api.Context => api.ROOT_CONTEXT.setValue(key, name);
    const nameOf = (): unknown => context.active().getValue(key);

    before(function () {
      // The first run on a machine installs 3.x.
      this.timeout(180_000);
      api = requireSdk3('@opentelemetry/api') as Api110;
      key = api.createContextKey('name');
      ({ context } = api);
    });

    beforeEach(() => {
      globals = global[GLOBALS];
      global[GLOBALS] = undefined;
      assert.ok(context.setGlobalContextManager(contestant.make().enable()));
    });

    afterEach(() => {
      context.disable();
      global[GLOBALS] = globals;
    });

    it('carries what the api activates', async () => {
      assert.equal(nameOf(), undefined);
      const seen = await context.with(named('a'), async () => {
        await immediate();
        return nameOf();
      });
      assert.equal(seen, 'a');
      assert.equal(context.bind(named('b'), nameOf)(), 'b');
    });

    it('attaches and disposes through the api', () => {
      new AsyncResource('PROBE').runInAsyncScope(() => {
        const first = context.attach(named('a'));
        const second = context.attach(named('b'));
        first.dispose();
        assert.equal(nameOf(), 'b');
        second.dispose();
        second.dispose();
        assert.equal(nameOf(), undefined);
      });
    });

    it('has nothing active once the api has disabled it', () => {
      context.with(named('a'), () => {
        context.disable();
        assert.equal(nameOf(), undefined);
      });
    });
  });
}
