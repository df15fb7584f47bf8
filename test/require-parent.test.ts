import assert from 'node:assert/strict';

import { OtlpReceiver } from './support/otlp-receiver.ts';
import { fixture, runNode } from './support/run-node.ts';
import { requireService } from './support/services.ts';

describe('a command outside of every span', function () {
  this.timeout(120_000);
  let redis: string;

  before(async function () {
    redis = await requireService(this, 'redis');
  });

  /** The names of the spans, the problems, and what was written to stderr. */
  async function run(
    way: string,
    env: Record<string, string> = {},
  ): Promise<{ names: string[]; problems: string[]; stderr: string }> {
    const receiver = await new OtlpReceiver().listen();
    try {
      const { code, stdout, stderr } = await runNode([fixture('require-parent/app.mjs')], {
        env: { WAY: way, REDIS_URL: redis, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env },
      });
      assert.equal(code, 0, stderr);
      const names = receiver.spans.map(({ name }) => name.replace(/ .*/, ''));
      return { names: names.sort(), problems: JSON.parse(stdout) as string[], stderr };
    } finally {
      await receiver.close();
    }
  }

  it('makes no trace by default, and one where CLEW_REQUIRE_PARENT is false', async () => {
    assert.deepEqual((await run('plain')).names, []);
    const { names, stderr } = await run('plain', { CLEW_REQUIRE_PARENT: 'false' });
    assert.deepEqual(names, ['get', 'quit']);
    assert.equal(stderr, '');
  });

  it('makes one if the code sets it, whatever the environment sets', async () => {
    for (const value of ['', 'true']) {
      const { names, stderr } = await run('given', { CLEW_REQUIRE_PARENT: value });
      assert.deepEqual(names, ['get', 'quit']);
      assert.equal(stderr, '');
    }
  });

  it('reports a client that is misspelt once, and keeps the defaults', async () => {
    const { names, problems, stderr } = await run('plain', { CLEW_REQUIRE_PARENT: 'iorediss' });
    assert.deepEqual(names, []);
    assert.equal(problems.length, 1);
    assert.match(stderr, /^clew: `CLEW_REQUIRE_PARENT` names `iorediss`.*mean `ioredis`\?\n$/);
  });
});
