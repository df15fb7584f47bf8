import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

import { describeValue } from '../../src/base/errors.ts';
import { say, setLogLevel } from '../../src/base/log.ts';
import { plainText } from '../../src/base/plain-text.ts';
import { captureStderr } from '../export/support/stderr.ts';

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;
const HOSTILE = [
  '\u001b[31mred\u001b[0m',
  '\u001b]0;a title\u0007x',
  '\u001b]8;;http://evil\u001b\\link',
  '\u009b31mred',
  '\u009d0;title\u009cx',
  'a\rb\nc\u2028d',
  'a\u0000b\u0008c\u007f',
  '\u202etxt.exe',
  '\u001b',
  '\u001bc',
];

describe('plainText', () => {
  it('leaves nothing that a terminal acts on', () => {
    for (const text of HOSTILE) assert.doesNotMatch(plainText(text), CONTROL);
    assert.equal(plainText('\u001b[1;31mred\u001b[0m and\n\n  more'), 'red and more');
    assert.equal(plainText('\u001b]0;title\u0007x'), 'x');
  });

  it('leaves text in any language alone', () => {
    for (const text of ['Größe 5 µs', '温度', '🧶 "quoted" `code`']) {
      assert.equal(plainText(text), text);
    }
  });

  it('cuts what is too long', () => {
    assert.equal(plainText('x'.repeat(100), 10), 'xxxxxxx...');
    assert.equal(plainText('x'.repeat(10), 10), 'x'.repeat(10));
    assert.ok(plainText('x'.repeat(1e6)).length <= 2000);
  });

  it('holds for values in messages and for every line of the log', () => {
    const level = setLogLevel('info');
    const stderr = captureStderr();
    try {
      for (const text of HOSTILE) {
        assert.doesNotMatch(describeValue(text), CONTROL);
        say('warn', text);
      }
    } finally {
      stderr.stop();
      setLogLevel(level);
    }
    assert.doesNotMatch(stderr.text(), CONTROL);
    assert.equal(stderr.text().split('\n').length, HOSTILE.length + 1);
  });
});

describe('say', () => {
  it('does not end a process whose stderr is closed at the other end', () => {
    const log = new URL('../../src/base/log.js', import.meta.url).href;
    const app = `import { say, setLogLevel } from '${log}'; say('warn', 'x'); setTimeout(() => { say('warn', 'y'); console.log('alive') }, 200)`;
    const shell = `"$0" --input-type=module -e "$1" 2> >(exec <&-; exec 0<&-)`;
    const { stdout, status } = spawnSync('bash', ['-c', shell, process.execPath, app], {
      encoding: 'utf8',
    });
    assert.deepEqual([stdout, status], ['alive\n', 0]);
  });
});
