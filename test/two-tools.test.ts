import assert from 'node:assert/strict';

import { OtlpReceiver } from './support/otlp-receiver.ts';
import { fixture, runNode } from './support/run-node.ts';
import { toObject } from './support/otlp-types.ts';
import { requireService } from './support/services.ts';

const OFFICIAL = '@opentelemetry/instrumentation-ioredis';

describe('a library that another instrumentation covers, too', function () {
  this.timeout(120_000);
  let redis: string;
  let receiver: OtlpReceiver;

  before(async function () {
    redis = await requireService(this, 'redis');
  });
  beforeEach(async () => {
    receiver = await new OtlpReceiver().listen();
  });
  afterEach(() => receiver.close());

  /** The scopes of the spans `get`, and what was written to stderr. */
  async function run(way: string, env: Record<string, string> = {}): Promise<[string[], string]> {
    const { code, stderr } = await runNode([fixture('two-tools/app.cjs')], {
      env: {
        WAY: way,
        REDIS_URL: redis,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        // Its commands are sent outside of every request.
        CLEW_REQUIRE_PARENT: 'false',
        ...env,
      },
    });
    assert.equal(code, 0, stderr);
    const gets = receiver.spans.filter(({ name }) => name.toLowerCase().startsWith('get'));
    const database = gets.filter(({ scope }) => /redis/.test(scope.name));
    return [database.map(({ scope }) => scope.name), stderr];
  }

  it('has its spans from clew where it is alone, and where the other is switched off', async () => {
    assert.deepEqual(await run('alone'), [['clew/ioredis', 'clew/ioredis'], '']);
    receiver.spans.length = 0;
    assert.deepEqual(await run('switchedOff'), [['clew/ioredis', 'clew/ioredis'], '']);
  });

  it('has its spans from clew where a tracer of the application has the name of the library', async () => {
    assert.deepEqual(await run('namesake'), [['clew/ioredis', 'clew/ioredis'], '']);
    const own = receiver.spans.filter(({ name }) => name === 'own');
    assert.deepEqual(own.map(({ scope }) => scope.name).sort(), ['http', 'ioredis', 'undici']);
    assert.equal(receiver.spans.filter(({ scope }) => scope.name === 'clew/http').length, 2);
  });

  it('has them from the one given to start, without a word', async () => {
    assert.deepEqual(await run('given'), [[OFFICIAL, OFFICIAL], '']);
  });

  it('has none where both are switched off by name', async () => {
    const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'ioredis' };
    assert.deepEqual(await run('given', env), [[], '']);
  });

  it('names both at debug where one was given to start', async () => {
    const [, stderr] = await run('given', { OTEL_LOG_LEVEL: 'debug' });
    assert.match(
      stderr,
      /spans of ioredis are created by your @opentelemetry\/instrumentation-ioredis/,
    );
  });

  it('lets an HttpInstrumentation given to start replace the built-in one, with its hooks', async () => {
    await run('given');
    const paths = receiver.spans
      .filter(({ kind }) => kind === 2)
      .map(
        ({ attributes }) => toObject(attributes)['url.path'] ?? toObject(attributes)['http.target'],
      );
    assert.deepEqual(paths, ['/']);
  });

  it('has no span from clew where the other was first and sends its spans elsewhere', async () => {
    const [scopes, stderr] = await run('ownProvider');
    assert.deepEqual(scopes, []);
    assert.match(stderr, /^clew: ioredis is instrumented twice, by clew and by an OpenTelemetry/);
  });

  for (const way of ['clewFirst', 'clewSecond']) {
    it(`has one span an operation, and one line about both: ${way}`, async () => {
      const [scopes, stderr] = await run(way);
      assert.deepEqual(scopes, [OFFICIAL, OFFICIAL]);
      const about = /^clew: ioredis is instrumented twice, by clew and by .*; clew creates no/;
      assert.match(stderr, about);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    });
  }
});
