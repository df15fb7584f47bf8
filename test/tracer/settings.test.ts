import assert from 'node:assert/strict';

import { readTracingSettings } from '../../src/tracer/settings.ts';

describe('readTracingSettings', () => {
  it('is off by default, and accepts valid values', () => {
    const { settings, problems } = readTracingSettings({ CLEW_TRACER: '' });
    assert.equal(settings.level, 'off');
    assert.equal(settings.recordSignal, undefined);
    assert.deepEqual(problems, []);
    const told = readTracingSettings({
      CLEW_TRACER: 'Watch',
      CLEW_RESOURCE_SPANS: '0.25',
      CLEW_RECORD_SECRET: 'sixteen or longer',
      CLEW_RECORD_FOLDER: '/var/tmp',
      CLEW_RECORD_SIGNAL: 'sigusr2',
    });
    assert.deepEqual(told.problems, []);
    assert.deepEqual(told.settings, {
      level: 'watch',
      resourceSpans: 0.25,
      recordSecret: 'sixteen or longer',
      recordFolder: '/var/tmp',
      recordSignal: 'SIGUSR2',
    });
  });

  for (const [name, bad, good] of [
    ['CLEW_TRACER', 'loud', 'deep'],
    ['CLEW_RESOURCE_SPANS', '1.01', '1'],
    ['CLEW_RESOURCE_SPANS', '-0.1', '0'],
    ['CLEW_RESOURCE_SPANS', 'all', '0.5'],
    ['CLEW_RECORD_SIGNAL', 'SIGKILL', 'SIGUSR1'],
    ['CLEW_RECORD_SIGNAL', 'USR2', 'SIGUSR2'],
  ] as const) {
    it(`reports in one line that ${name} cannot be ${bad}, and goes on without`, () => {
      const { settings, problems } = readTracingSettings({ [name]: bad });
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? '', new RegExp(name));
      assert.deepEqual([settings.level, settings.resourceSpans], ['off', 0]);
      assert.deepEqual(readTracingSettings({ [name]: good }).problems, []);
    });
  }
});
