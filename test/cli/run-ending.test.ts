import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { answerIn } from './support/json-answer.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const APP = fileURLToPath(new URL('../../../test/fixtures/ending-app.mjs', import.meta.url));

interface Ended {
  code: unknown;
  stderr: string;
  answer: Record<string, unknown> & { slowest: { name: string; failed?: true }[] };
}

describe('the request in which an application ends', function () {
  this.timeout(60_000);

  const run = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const env = { ...process.env, OTEL_TRACES_EXPORTER: 'console' };
      const command = [MAIN, 'run', '--json', APP, ...args];
      execFile(process.execPath, command, { env }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stderr, answer: answerIn(stdout) as Ended['answer'] }),
      );
    });
  const lineOf = ({ stderr }: Ended, name: string): string =>
    stderr.split('\n').find((line) => line.startsWith(`clew: ${name} `) && line.includes('ms:')) ??
    stderr;
  const count = ({ answer }: Ended): unknown => answer['requests'];

  for (const [path, what] of [
    ['/timer', 'a callback'],
    ['/now', 'the handler itself'],
    ['/promise', 'a promise'],
  ] as const) {
    it(`has a line and is counted when an exception of ${what} ends it`, async () => {
      const ended = await run('plain', '/fine', path);
      assert.equal(ended.code, 1);
      const expected = /^clew: GET \/\w+ ERROR \(ended the process\) {2}[\d.]+ ms: running [\d.]+/;
      assert.match(lineOf(ended, `GET ${path}`), expected);
      assert.match(lineOf(ended, 'GET /fine'), /^clew: GET \/fine {2}[\d.]+ ms/);
      assert.equal(count(ended), 2);
      const [one, ...others] = ended.answer['endedProcess'] as Record<string, unknown>[];
      assert.deepEqual(others, []);
      assert.deepEqual([one?.['name'], one?.['failed']], [`GET ${path}`, true]);
      assert.match(String(one?.['traceId']), /^[0-9a-f]{32}$/);
      assert.ok(ended.stderr.includes(String(one?.['traceId'])), 'the trace of its span');
    });
  }

  it('has the status that was sent', async () => {
    const ended = await run('plain', '/partly');
    assert.match(lineOf(ended, 'GET /partly'), /ERROR 202 \(ended the process\)/);
  });

  it('is marked when it calls process.exit(), which is no error', async () => {
    const ended = await run('plain', '/exit');
    assert.equal(ended.code, 3);
    assert.match(lineOf(ended, 'GET /exit'), /^clew: GET \/exit \(ended the process\) {2}/);
    assert.deepEqual(
      (ended.answer['endedProcess'] as { failed?: true }[]).map(({ failed }) => failed),
      [undefined],
    );
  });

  it('is marked when a handler of its exception exits', async () => {
    const ended = await run('exits', '/timer');
    assert.equal(ended.code, 4);
    assert.match(lineOf(ended, 'GET /timer'), /ERROR \(ended the process\)/);
  });

  it('is no more than failed when the process goes on and ends for another reason', async () => {
    const ended = await run('survives', '/timer', '/fine');
    assert.equal(ended.code, 0);
    assert.match(lineOf(ended, 'GET /timer'), /^clew: GET \/timer ERROR {2}[\d.]+ ms/);
    assert.equal(count(ended), 2);
    assert.equal(ended.answer['endedProcess'], undefined);
  });

  it('is none where the exception belongs to no request', async () => {
    const ended = await run('plain', '/outside');
    assert.equal(ended.code, 1);
    assert.equal(ended.answer['endedProcess'], undefined);
    assert.equal(count(ended), 0);
  });
});
