import assert from 'node:assert/strict';

import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { stub } from 'sinon';

import { say, sayOnStderr, setLogLevel, willSay, type LogLevel } from '../../src/base/log.ts';
import { captureStderr } from '../support/capture-stderr.ts';

describe('say', () => {
  const long =
    `No spans reach the collector at http://127.0.0.1:4318 ${'and more of it '.repeat(8)}`.trim();
  let before: LogLevel;

  beforeEach(() => (before = setLogLevel('info')));
  afterEach(() => setLogLevel(before));

  function at(isTTY: boolean, columns: number): void {
    for (const [name, value] of Object.entries({ isTTY, columns })) {
      if (!(name in process.stderr))
        Object.defineProperty(process.stderr, name, {
          value: undefined,
          configurable: true,
          writable: true,
        });
      stub(process.stderr, name as 'isTTY').value(value);
    }
  }

  it('writes one line where nothing is a terminal', () => {
    at(false, 80);
    assert.deepEqual(
      captureStderr(() => say('warn', long)),
      [`clew: ${long}`],
    );
  });

  it('breaks what a terminal is too narrow for, each line with its prefix', () => {
    at(true, 80);
    const lines = captureStderr(() => say('warn', long));
    assert.ok(lines.length > 1);
    for (const line of lines) assert.ok(line.startsWith('clew: ') && line.length <= 80, line);
    const words = lines.map((line) => line.slice('clew: '.length).trim()).join(' ');
    assert.equal(words, long);
  });

  it('leaves a line alone that fits, and one that is laid out', () => {
    at(true, 240);
    assert.deepEqual(
      captureStderr(() => say('warn', long)),
      [`clew: ${long}`],
    );
    at(true, 80);
    const row = `  ${'x '.repeat(60)}`;
    assert.equal(captureStderr(() => say('warn', row)).length, 1);
  });
});

describe('say, where the application has set a logger of diag', () => {
  let before: LogLevel;
  let logged: string[];

  function setLogger(level: DiagLogLevel, onWarn: (message: string) => void = () => {}): void {
    const log =
      (name: string) =>
      (message: string): void =>
        void logged.push(`${name} ${message}`);
    const logger: DiagLogger = {
      error: log('error'),
      warn: (message) => {
        log('warn')(message);
        onWarn(message);
      },
      info: log('info'),
      debug: log('debug'),
      verbose: log('verbose'),
    };
    diag.setLogger(logger, { logLevel: level, suppressOverrideMessage: true });
    logged = [];
  }

  beforeEach(() => {
    logged = [];
    before = setLogLevel('info');
  });
  afterEach(() => {
    diag.disable();
    setLogLevel(before);
  });

  it('logs there by the level of that logger, and nothing on stderr', () => {
    setLogger(DiagLogLevel.DEBUG);
    const lines = captureStderr(() => {
      say('warn', 'a\u001b[31m line');
      say('debug', 'a detail');
    });
    assert.deepEqual(lines, []);
    assert.deepEqual(logged, ['warn clew: a line', 'debug clew: a detail']);
    assert.ok(willSay('debug'));
    setLogger(DiagLogLevel.ERROR);
    assert.deepEqual(
      captureStderr(() => say('warn', 'a line')),
      [],
    );
    assert.deepEqual(logged, []);
  });

  it('writes to stderr again where the logger is taken away, throws, or logs by clew itself', () => {
    setLogger(DiagLogLevel.INFO, () => {
      throw new Error('the logger is broken');
    });
    assert.deepEqual(
      captureStderr(() => say('warn', 'one')),
      ['clew: one'],
    );
    setLogger(DiagLogLevel.INFO, (message) => say('warn', `again: ${message}`));
    assert.deepEqual(
      captureStderr(() => say('warn', 'two')),
      ['clew: again: clew: two'],
    );
    diag.disable();
    assert.deepEqual(
      captureStderr(() => say('warn', 'three')),
      ['clew: three'],
    );
  });

  it('writes what a command prints to stderr all the same, and at level none nothing', () => {
    setLogger(DiagLogLevel.DEBUG);
    assert.deepEqual(
      captureStderr(() => sayOnStderr('info', 'GET /')),
      ['clew: GET /'],
    );
    setLogLevel('none');
    assert.deepEqual(
      captureStderr(() => say('error', 'a line')),
      [],
    );
    assert.deepEqual(logged, []);
    assert.ok(!willSay('error'));
  });
});
