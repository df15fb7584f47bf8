import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { NODE_LINES } from '../support/other-nodes.ts';
import { noteSkipped } from '../support/services.ts';
import {
  drawsGraph,
  GUIDE,
  programs,
  readOutputs,
  renderGuide,
  runProgram,
} from './support/guide.ts';

/** What each program must show on every Node, whatever else it prints. */
const SHOWS: Record<string, RegExp[]> = {
  '01-four-callbacks.js': [
    /^init .*Timeout #0/m,
    /^before/m,
    /^after/m,
    /^destroy/m,
    /^promiseResolve/m,
  ],
  '02-inherited-hooks.js': [/"init":1,"before":2,"after":2,"destroy":0/, /destroy was told: true/],
  '03-printing.js': [/with console\.log\n/, /with writeSync\n/],
  '04-one-get-request.js': [
    /^TCPWRAP/m,
    /^TCPCONNECTWRAP/m,
    /^HTTPCLIENTREQUEST/m,
    /^HTTPINCOMINGMESSAGE/m,
  ],
  '05-accepted-connection.js': [/callback of nobody\n {2}because of TCPSERVERWRAP #0/],
  '06-listen-tree.js': [/TCPSERVERWRAP #\d+\n +TickObject/],
  '07-fs-open-ids.js': [/in fs\.open +execution #\d+, trigger main/, /in fs\.close.*trigger #\d+/],
  '08-custom-resource.js': [
    /rows of SELECT 'Ada' for Ada, in #0/,
    /rows of SELECT 'Bob' for Bob, in #1/,
  ],
  '09-native-add-on.js': [
    /init +SUM #0[^]*before +SUM #0[^]*bound: 55 for Ada|^skipped: .* is not here/,
  ],
  '10-since-node-8.js': [/executionAsyncResource\(\).* yes/, /Node 8 +no/],
};

describe('async_hooks, illustrated', function () {
  this.timeout(120_000);
  const line = process.versions.node.split('.')[0] ?? '';
  const outputs = readOutputs();

  for (const program of programs()) {
    it(`runs ${program} here and prints what the guide shows`, () => {
      const printed = runProgram(process.execPath, program);
      for (const pattern of SHOWS[program] ?? []) assert.match(printed, pattern);
      assert.ok(SHOWS[program], 'a program without an expectation');
      // Another patch version may print otherwise; then the guide waits for its next generation.
      const shown = outputs[line];
      const isHere = !printed.startsWith('skipped: ');
      if (!isHere) noteSkipped(`${program}: ${printed.slice('skipped: '.length).trim()}`);
      if (isHere && shown?.version === process.versions.node)
        assert.equal(printed, shown.printed[program]);
      if (drawsGraph(program)) {
        assert.match(runProgram(process.execPath, program, ['graph']), /^graph LR\n {2}\w+.* --> /);
      }
    });
  }

  it('skips the native add-on where there is no compiler, and reports it', () => {
    const printed = runProgram(process.execPath, '09-native-add-on.js', [], { PATH: '/nowhere' });
    assert.match(printed, /^skipped: .* is not here, so there is no add-on\n$/);
  });

  it('shows what the current Nodes print: each line the tests run on', () => {
    assert.deepEqual(Object.keys(outputs), [...NODE_LINES]);
    for (const [one, { printed }] of Object.entries(outputs)) {
      assert.deepEqual(
        Object.keys(printed).filter((name) => !name.endsWith(' graph')),
        programs(),
        one,
      );
    }
  });

  it('is generated: the page is what programs and outputs make of it', () => {
    assert.equal(readFileSync(GUIDE, 'utf8'), renderGuide(outputs));
  });
});
