import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { Duplex, Writable } from 'node:stream';

import { ClewError } from '../../../src/base/errors.ts';
import {
  builtInModules,
  enableRules,
  isSwitchedOff,
} from '../../../src/instrumentation/rules/index.ts';
import { as, store } from '../wrap/support.ts';

const require = createRequire(import.meta.url);

/** What the rules for Node's own modules patch. */
const PATCHED: [object, string][] = [
  [IncomingMessage.prototype, 'on'],
  [ServerResponse.prototype, 'once'],
  [Server.prototype, '_listen2'],
  [Server.prototype, 'once'],
  [AbortSignal.prototype, 'addEventListener'],
  [Writable.prototype, 'write'],
  [Duplex.prototype, 'write'],
];
const current = (): unknown[] =>
  PATCHED.map(([target, method]) => (target as Record<string, unknown>)[method]);

describe('enableRules', () => {
  let before: unknown[];
  beforeEach(() => (before = current()));
  afterEach(() => {
    delete process.env['CLEW_REPAIR'];
    assert.deepEqual(current(), before, 'something of the rules is left');
  });

  it('patches Node’s own modules at once and undoes it all', () => {
    const undo = enableRules();
    assert.ok(current().every((method, index) => method !== before[index]));
    undo();
    undo();
  });

  for (const value of ['off', 'OFF', '0', 'false']) {
    it(`does nothing with CLEW_REPAIR=${value}`, () => {
      process.env['CLEW_REPAIR'] = value;
      assert.equal(isSwitchedOff(), true);
      enableRules();
      assert.deepEqual(current(), before);
    });
  }

  it('leaves out the built-in rules, or those of some modules', () => {
    let undo = enableRules({ builtIn: false });
    assert.deepEqual(current(), before);
    undo();
    undo = enableRules({ except: ['http'] });
    assert.equal(current()[0], before[0]);
    assert.notEqual(current()[2], before[2]);
    undo();
  });

  it('applies rules in code to a library when it is loaded, and undoes them', () => {
    const undo = enableRules({
      builtIn: false,
      rules: { 'reusify@^1': { 'default()#get': 'root' } },
    });
    const reusify = require('reusify');
    assert.equal(reusify.name, 'reusify');
    const seen: unknown[] = [];
    const pool = reusify(function Item() {
      seen.push(store.getStore());
    });
    as('A', () => pool.get());
    undo();
    as('A', () => pool.get());
    assert.deepEqual(seen, [undefined, undefined, 'A']);
  });

  it('throws for a mistake in a rule, and applies nothing', () => {
    assert.throws(
      () => enableRules({ rules: { pg: { Client: 'magic' as never } } }),
      (error: unknown) =>
        error instanceof ClewError &&
        error.code === 'ERR_RULE' &&
        error.message.startsWith('rules > pg > Client: '),
    );
  });

  it('knows a version range with an upper bound for every library', () => {
    for (const { module, versions, rules } of builtInModules()) {
      assert.match(versions, /^>=\d[\d.]* <\d/, module);
      assert.ok(rules.length > 0, module);
    }
  });

  it('leaves the application’s own emitters alone', () => {
    const undo = enableRules();
    const bus = new EventEmitter();
    const seen: unknown[] = [];
    as('A', () => bus.on('event', () => seen.push(store.getStore())));
    as('B', () => bus.emit('event'));
    undo();
    assert.deepEqual(seen, ['B']);
  });
});
