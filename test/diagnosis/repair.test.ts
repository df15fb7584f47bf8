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

  it('are for no function of the application or of Node', () => {
    assert.deepEqual(
      rulesFor('locked(', lock, undefined, 'const locked = (cb) => one.take(cb);'),
      [],
    );
    assert.equal(rulesFor('one.take(', lock)[0], 'default()#take "args"');
  });
});
