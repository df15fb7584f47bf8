// The console is tested.
/* oxlint-disable no-console */
import assert from 'node:assert/strict';

import { context } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import { patchConsole } from '../../../src/instrumentation/loggers/console.ts';
import type { Undo } from '../../../src/base/patch.ts';
import { IDS, inSpan } from './support.ts';

const TEXT = `trace_id=${IDS.trace_id} span_id=${IDS.span_id} trace_flags=01`;

describe('lines of the console', () => {
  const log = console.log;
  let printed: unknown[][];
  let undo: Undo;

  beforeEach(() => {
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
    printed = [];
    console.log = (...args: unknown[]) => printed.push(args);
    undo = patchConsole();
  });
  afterEach(() => {
    undo();
    console.log = log;
  });

  it('end with the ids of the active span, and are as they were without one', () => {
    const error = new Error('broken');
    console.log('outside');
    inSpan(() => {
      console.log('inside', error);
      console.log('%d of', 1, 'two');
    });
    assert.deepEqual(printed, [['outside'], ['inside', error, TEXT], ['%s %s', '1 of two', TEXT]]);
  });

  it('stay JSON where they are JSON', () => {
    inSpan(() => {
      console.log('{"msg":"paid"}');
      console.log('{"msg":"paid","trace_id":"mine"}');
      console.log('{ no JSON }');
    });
    assert.deepEqual(JSON.parse(printed[0]?.[0] as string), { msg: 'paid', ...IDS });
    assert.deepEqual(JSON.parse(printed[1]?.[0] as string), {
      msg: 'paid',
      ...IDS,
      trace_id: 'mine',
    });
    assert.deepEqual(printed[2], ['{ no JSON }', TEXT]);
  });

  it('keep the fields that they have, and get the others', () => {
    inSpan(() => {
      console.log(`info: paid {"trace_id":"1","span_id":"2","trace_flags":"01"}`);
      console.log('paid trace_id=mine');
    });
    assert.deepEqual(printed, [
      [`info: paid {"trace_id":"1","span_id":"2","trace_flags":"01"}`],
      ['paid trace_id=mine', `span_id=${IDS.span_id} trace_flags=01`],
    ]);
  });
});
