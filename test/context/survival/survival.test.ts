import assert from 'node:assert/strict';

import { runFixture } from '../../support/run-fixture.ts';
import { LOSSES } from './losses.ts';
import type { Result } from './run.ts';

type Results = Record<string, Result>;

const survivors = async (variant: string): Promise<Results> => {
  const { stdout } = await runFixture(new URL('./child.js', import.meta.url), { args: [variant] });
  return JSON.parse(stdout) as Results;
};
const failed = ({ lost, bled }: Result): number => lost.length + bled.length;

describe('asynchronous sources of Node', () => {
  let ours: Results;
  let als: Results;
  let registration: Results;

  before(async function () {
    this.timeout(120_000);
    [ours, als, registration] = (await Promise.all(
      ['clew', 'otel-als', 'registration'].map(survivors),
    )) as [Results, Results, Results];
  });

  it('are more than a hundred, each probed more than once', () => {
    assert.ok(Object.keys(ours).length > 100);
    for (const [source, result] of Object.entries(ours)) {
      assert.ok(result.kept + failed(result) >= 2, source);
    }
  });

  it('keep their context, but for those whose loss is explained', () => {
    const unexplained = Object.entries(ours).filter(
      ([source, result]) => failed(result) > 0 && LOSSES[source] === undefined,
    );
    assert.deepEqual(unexplained, []);
  });

  it('keep it wherever they keep it under AsyncLocalStorage', () => {
    for (const [source, result] of Object.entries(ours)) {
      if (failed(als[source] as Result) === 0) assert.equal(failed(result), 0, source);
    }
  });

  it('keep it for the sockets of raw servers, which AsyncLocalStorage loses', () => {
    for (const source of ['sockets: net server', 'sockets: net server on a pipe']) {
      assert.equal(failed(ours[source] as Result), 0);
      assert.deepEqual(new Set(als[source]?.lost), new Set(['data', 'end', 'close']));
    }
  });

  it('keep it under `listeners: registration` wherever they keep it by default', () => {
    for (const [source, result] of Object.entries(registration)) {
      if (failed(ours[source] as Result) === 0) assert.equal(failed(result), 0, source);
    }
  });
});
