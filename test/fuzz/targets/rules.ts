import assert from 'node:assert/strict';

import { ClewError } from '../../../src/base/errors.ts';
import { parseRules } from '../../../src/instrumentation/rules/rule-file.ts';
import { RULE_KINDS } from '../../../src/instrumentation/wrap/rule.ts';
import { damagedJson } from '../damage.ts';
import { parsed, type Target } from '../target.ts';

const FILE = 'clew.rules.json';
const SAMPLES = [
  {
    $schema: './clew.rules.schema.json',
    rules: {
      'my-pool@^2': {
        'Pool#acquire': 'args',
        'createQueue()#push|unshift': { kind: 'task', enter: ['run'], argument: 0, batch: true },
        'Emitter#on': [{ kind: 'emitter', events: 'ready', when: 'lost' }, 'args'],
      },
      '@scope/name': {
        'default.a.b': { kind: 'handler', argument: 1, unless: 'own' },
        'configure.set': { kind: 'config', arguments: [1, 'x'], undoArguments: [] },
        'Pool#tick': { kind: 'root', leave: 'trace' },
      },
    },
  },
];

/** `clew.rules.json`. */
export const rules: Target<string> = {
  input: damagedJson(SAMPLES),
  check(text) {
    let refused: unknown;
    const modules = parsed(() => {
      try {
        return parseRules(text, FILE);
      } catch (error) {
        refused = error;
        throw error;
      }
    });
    if (!modules) {
      assert.ok(refused instanceof ClewError && refused.code === 'ERR_RULE');
      const line = Number(/^clew\.rules\.json:(\d+): /.exec(refused.message)?.[1]);
      assert.ok(line >= 1 && line <= text.split('\n').length, refused.message);
      return;
    }
    for (const { module, versions, rules: each } of modules) {
      assert.ok(module !== '' && typeof versions === 'string');
      for (const rule of each) {
        assert.ok(RULE_KINDS.includes(rule.kind));
        assert.ok(rule.on !== undefined || rule.method !== undefined);
        assert.equal(Object.getPrototypeOf(rule), Object.prototype);
      }
    }
  },
};
