import assert from 'node:assert/strict';

import { pathsTo } from '../../src/diagnosis/collector/export-paths.ts';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { BARE_SURROUNDINGS } from '../../src/diagnosis/surroundings.ts';
import { frame, frames, observation, run } from './support.ts';

/** An emitter as constructors were written, exported under two names. */
function Bus(): void {}
Bus.prototype.on = Bus.prototype.once = (): void => undefined;
Bus.Bus = Bus;

/** What returns an object that keeps callbacks. */
const lock = (): object => ({ take: () => undefined });

const IN_SERVER = 'http.createServer((req, res) => {\n  CALL(() => {\n    res.end();';

describe('the rules that a finding proposes', () => {
  const rulesFor = (call: string, exports: unknown, fn?: string, before = ''): string[] => {
    const [your] = frames('/app/server.js:4');
    assert.ok(your);
    const stack = [your, frame('/app/node_modules/some-package/index.js:9', fn)];
    const surroundings = {
      ...BARE_SURROUNDINGS,
      source: () => `${before}\n${IN_SERVER.replace('CALL(', call)}`,
      pathsTo: (_name: string, method: string) => pathsTo(exports, method),
      mentions: (_name: string, word: string) => /^(?:on|once|take)$/.test(word),
    };
    const observations = [observation({ stack, handle: undefined })];
    const [finding] = diagnose(run({ observations }), surroundings);
    return (finding?.fix.rules ?? []).map(({ path, rule }) => `${path} ${JSON.stringify(rule)}`);
  };

  it('are for the class of a package where a function of the application takes the listener', () => {
    const own = 'function loadConfig(cb) { bus.once("config", cb); }';
    assert.deepEqual(rulesFor('loadConfig(', Bus, 'Bus.emit', own), ['default# "emitter"']);
    assert.deepEqual(rulesFor('loadConfig(', { Bus }, 'Bus.emit', own), ['Bus# "emitter"']);
    assert.deepEqual(rulesFor('config.load(', Bus, 'Bus.emit'), ['default# "emitter"']);
  });

  it('begin with the method that was called, and name each thing once', () => {
    const rules = ['default#once "emitter"', 'default# "emitter"'];
    assert.deepEqual(rulesFor('bus.once("config", ', Bus, 'Bus.emit'), rules);
  });

  it('begin with the class that the object is named after', () => {
    class Connection {
      query(): void {}
    }
    class Pool extends Connection {
      override query(): void {}
    }
    const methods = (call: string): string[] =>
      rulesFor(call, { Connection, Pool }).filter((rule) => rule.endsWith('"args"'));
    assert.deepEqual(methods('pool.query('), ['Pool#query "args"', 'Connection#query "args"']);
    assert.deepEqual(methods('db.query('), ['Connection#query "args"', 'Pool#query "args"']);
  });

  it('are those of a driver in the handler of a route, and not those of a middleware', () => {
    const source = "app.get('/users', (req, res) => {\n  pool.query(sql, () => {\n    res.end();\n";
    const exports = {
      Pool: class {
        query(): void {}
      },
      escape: () => '',
    };
    const surroundings = {
      ...BARE_SURROUNDINGS,
      source: () => source,
      pathsTo: (_name: string, method: string) => pathsTo(exports, method),
      mentions: () => true,
    };
    const stack = frames(
      '/app/server.js:3',
      '/app/node_modules/driver/lib/query.js:142',
      '/app/node_modules/driver-protocol/parser.js:106',
    );
    const observations = [observation({ stack, handle: undefined })];
    const [finding] = diagnose(run({ observations }), surroundings);
    assert.deepEqual(finding?.fix.rules[0], { module: 'driver', path: 'Pool#query', rule: 'args' });
    assert.match(finding.fix.change?.text ?? '', /bind the callback of pool\.query\(\)/);
  });

  it('are for no function of the application or of Node', () => {
    assert.deepEqual(
      rulesFor('locked(', lock, undefined, 'const locked = (cb) => one.take(cb);'),
      [],
    );
    assert.equal(rulesFor('one.take(', lock)[0], 'default()#take "args"');
  });
});
