import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import type { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import { oracles, ours, rootOf } from './managers.ts';

/*
 * Where ours differs from OpenTelemetry's managers on purpose: what it does, and what they do. That
 * theirs still does is part of the test, so that the docs never warn of what is no more.
 */
const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

interface Difference {
  observe: (manager: AsyncHooksContextManager, nameOf: () => unknown) => unknown;
  ours: unknown;
  theirs: unknown;
}

const DIFFERENCES: Record<string, Difference> = {
  'tokens disposed of out of order leave what was attached last': {
    observe: (manager, nameOf) => {
      const first = manager.attach(named('a'));
      manager.attach(named('b'));
      first.dispose();
      return nameOf();
    },
    ours: 'b',
    theirs: undefined,
  },
  'a token that is disposed of in another scope changes nothing there': {
    observe: (manager, nameOf) => {
      const elsewhere = manager.with(named('other'), () => new AsyncResource('PROBE'));
      const token = manager.attach(named('a'));
      return elsewhere.runInAsyncScope(() => {
        token.dispose();
        return nameOf();
      });
    },
    ours: 'other',
    theirs: undefined,
  },
  'contexts from before `disable` do not come back with `enable`': {
    observe: (manager, nameOf) => {
      const resource = manager.with(named('a'), () => new AsyncResource('PROBE'));
      manager.disable();
      manager.enable();
      manager.with(named('b'), () => undefined);
      return resource.runInAsyncScope(nameOf);
    },
    ours: undefined,
    theirs: 'a',
  },
  '`with` after `disable` calls the function and nothing else': {
    observe: (manager, nameOf) => {
      manager.disable();
      return manager.with(named('a'), nameOf);
    },
    ours: undefined,
    theirs: 'a',
  },
  '`with` of what is no context keeps the active one': {
    observe: (manager) =>
      manager.with(named('a'), () => manager.with(7 as never, () => typeof manager.active())),
    ours: 'object',
    theirs: 'number',
  },
  'a bound function has the name of its target': {
    observe: (manager) => manager.bind(named('a'), function target() {}).name,
    ours: 'target',
    theirs: 'contextWrapper',
  },
  'a listener that was added twice can be removed twice': {
    observe: (manager) => {
      const emitter = manager.bind(named('a'), new EventEmitter());
      const listener = (): void => undefined;
      emitter.on('event', listener).on('event', listener);
      emitter.off('event', listener).off('event', listener);
      return emitter.listenerCount('event');
    },
    ours: 0,
    theirs: 1,
  },
  '`listeners` of a bound emitter are those that were added': {
    observe: (manager) => {
      const emitter = manager.bind(named('a'), new EventEmitter());
      const listener = (): void => undefined;
      return emitter.on('event', listener).listeners('event')[0] === listener;
    },
    ours: true,
    theirs: false,
  },
  "a listener that is no function raises Node's own error": {
    observe: (manager) => {
      const emitter = manager.bind(named('a'), new EventEmitter());
      try {
        emitter.on('event', 'text' as unknown as () => void);
        return 'nothing';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    },
    ours: 'ERR_INVALID_ARG_TYPE',
    theirs: undefined,
  },
};

for (const contestant of [...ours, ...oracles]) {
  const whose = oracles.includes(contestant) ? 'theirs' : 'ours';

  describe(`differences on purpose: ${contestant.name}`, () => {
    before(function () {
      // The first run on a machine installs 3.x.
      this.timeout(180_000);
      rootOf(contestant);
    });

    for (const [title, difference] of Object.entries(DIFFERENCES)) {
      it(whose === 'ours' ? title : `not so: ${title}`, () => {
        const manager = contestant.make() as AsyncHooksContextManager;
        manager.enable();
        try {
          // `attach` ends with its scope, and a test is no scope of its own.
          const seen = new AsyncResource('PROBE').runInAsyncScope(() =>
            difference.observe(manager, () => manager.active().getValue(KEY)),
          );
          assert.equal(seen, difference[whose]);
        } finally {
          manager.disable();
        }
      });
    }
  });
}
