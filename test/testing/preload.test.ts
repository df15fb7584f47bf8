import assert from 'node:assert/strict';

import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { fixture, REGISTER_URL, runNode, type Result } from '../support/run-node.ts';

const TESTING_URL = new URL('../../package/testing.js', import.meta.url).href;

describe('clew/testing', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;

  beforeEach(async () => {
    receiver = await new OtlpReceiver().listen();
  });
  afterEach(() => receiver.close());

  function runWork(preload: string, env: Record<string, string> = {}): Promise<Result> {
    return runNode(['--import', preload, fixture('testing/work.mjs')], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env },
    });
  }

  it("collects an application's trace and names the line of an N+1", async () => {
    const args = ['--liftoff-only', '--import', TESTING_URL, fixture('testing/shop.mjs')];
    const { code, stdout, stderr } = await runNode(args);
    assert.equal(code, 0, stderr);
    const [first, ...rest] = stdout.split(/^(?=ok|not ok)/m);
    assert.equal(first, '[{"name":"a"},{"name":"b"}]\n');
    assert.deepEqual(
      rest.map((part) => part.split(':', 1)[0]?.trim()),
      ['ok one trace', 'ok one root of its own', 'not ok no repeated query', 'not ok bad input'],
    );
    assert.match(stdout, /no query more than once, found 2 times at \S*shop\.mjs:14:\d+: SELECT/);
    assert.match(stdout, /^└─ .*SELECT item.* {2}at \S*shop\.mjs:14:\d+$/m);
    assert.match(stdout, /Expected `work` to be a function, got `undefined`/);
    assert.equal(stderr, '');
  });

  it('collects spans and sends nothing', async () => {
    const { stdout, stderr } = await runWork(TESTING_URL);
    assert.deepEqual([stdout, stderr, receiver.spans.length], ['ok 7\n', '', 0]);
  });

  it('also sends spans where an exporter is named', async () => {
    const { stdout } = await runWork(TESTING_URL, { OTEL_TRACES_EXPORTER: 'otlp' });
    assert.equal(stdout, 'ok 7\n');
    assert.deepEqual(
      receiver.spans.map(({ name }) => name),
      ['work'],
    );
  });

  it('collects spans beside clew/register, which sends them', async () => {
    const { stdout, stderr } = await runWork(REGISTER_URL);
    assert.deepEqual([stdout, stderr, receiver.spans.length], ['ok 7\n', '', 1]);
  });

  it('fails every assertion where clew makes no spans, and gives the reason', async () => {
    const { stdout } = await runWork(TESTING_URL, { OTEL_SDK_DISABLED: 'true' });
    assert.match(stdout, /^not ok: No span was ever collected in this process.*OTEL_SDK_DISABLED/);
  });
});
