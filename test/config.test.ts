import assert from 'node:assert/strict';

import { readConfig, type Config, type StartOptions } from '../src/config.ts';

const read = (
  env: Record<string, string> = {},
  options: StartOptions = {},
): { config: Config; problems: string[] } => {
  const { config, problems } = readConfig(options, env);
  return { config, problems: problems.map((problem) => problem.message) };
};

describe('readConfig', () => {
  it('reports a value of CLEW_REPAIR that is none', () => {
    assert.match(read({ CLEW_REPAIR: 'maybe' }).problems.join(), /CLEW_REPAIR.*maybe/);
    assert.deepEqual(read({ CLEW_REPAIR: 'off' }).problems, []);
  });

  it('accepts one set of spellings for every switch', () => {
    for (const [text, expected] of [
      ['on', true],
      ['TRUE', true],
      ['yes', true],
      ['1', true],
      ['off', false],
      ['False', false],
      ['no', false],
      ['0', false],
    ] as const) {
      const { config, problems } = read({
        CLEW_JAEGER_HINTS: text,
        CLEW_LOG_CONSOLE: text,
        CLEW_EXPORT_THREAD: text,
        CLEW_SPOOL: text,
        CLEW_HTTP_SERVER_TIMING: text,
        CLEW_REPAIR: text,
        CLEW_PROCESS_CONTEXT: text,
      });
      assert.deepEqual(problems, [], text);
      assert.deepEqual(
        [
          config.jaegerHints,
          config.logs.console,
          config.delivery.thread,
          config.delivery.spool !== undefined,
          config.processes.gives,
        ],
        [expected, expected, expected, expected, expected],
        text,
      );
    }
  });

  it('reports a value that cannot be used, and what happens instead', () => {
    assert.deepEqual(read({ OTEL_SDK_DISABLED: '1' }).problems, [
      'Expected `OTEL_SDK_DISABLED` to be one of true, false, got `1`; the default is used.',
    ]);
    assert.deepEqual(read({ OTEL_TRACES_SAMPLER_ARG: '2' }).problems, [
      'Expected `OTEL_TRACES_SAMPLER_ARG` to be a number from 0 to 1, got `2`; the default is used.',
    ]);
    assert.deepEqual(read({ CLEW_RESOURCE_SPANS: '7' }).problems, [
      'Expected `CLEW_RESOURCE_SPANS` to be a number from 0 to 1, got `7`; the default is used.',
    ]);
    assert.match(read({ CLEW_HTTP_IGNORE_INCOMING: '/ok,health' }).problems.join(), /`health`/);
  });

  it('reports a variable that looks like a misspelt one of clew', () => {
    assert.deepEqual(read({ CLEW_TRACR: 'watch', CLEW_OUR_OWN_THING: '1' }).problems, [
      '`CLEW_TRACR` is not a variable of clew. Did you mean `CLEW_TRACER`?',
    ]);
  });

  it('uses the defaults of OpenTelemetry where nothing is set, and has no complaint', () => {
    const { config, problems } = read();
    assert.deepEqual(problems, []);
    assert.equal(config.tracesUrl, 'http://127.0.0.1:4318/v1/traces');
    assert.equal(config.exporter, 'otlp');
    assert.deepEqual(config.propagators, ['tracecontext', 'baggage']);
    assert.deepEqual(config.sampler, { parentBased: true, root: 'always_on', ratio: 1 });
    assert.deepEqual(config.delivery, { url: config.tracesUrl });
    assert.equal(config.flushOnExit, true);
    assert.ok(Object.isFrozen(config));
  });

  it('takes an empty variable for an unset one', () => {
    const { config, problems } = read({ OTEL_SERVICE_NAME: '', OTEL_TRACES_SAMPLER: ' ' });
    assert.deepEqual(problems, []);
    assert.equal(config.sampler.root, 'always_on');
  });

  describe('service.name', () => {
    it('comes from the option, then its variable, then the attribute, then package.json', () => {
      const attributes = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=c' };
      const variable = { OTEL_SERVICE_NAME: 'b', ...attributes };
      assert.equal(read(variable, { serviceName: 'a' }).config.serviceName, 'a');
      assert.equal(read(variable).config.serviceName, 'b');
      assert.equal(read(attributes).config.serviceName, 'c');
      // The main file of this process is mocha's.
      assert.equal(read().config.serviceName, 'clew');
      assert.match(read().config.serviceVersion ?? '', /^\d+\.\d+\.\d+/);
    });
  });

  describe('the endpoint', () => {
    const urlOf = (env: Record<string, string>, options?: StartOptions): string =>
      read(env, options).config.tracesUrl;

    it('is a base URL to which the path of the signal is added', () => {
      const variable = 'OTEL_EXPORTER_OTLP_ENDPOINT';
      assert.equal(urlOf({ [variable]: 'http://h:1' }), 'http://h:1/v1/traces');
      assert.equal(urlOf({ [variable]: 'http://h:1/base/' }), 'http://h:1/base/v1/traces');
      assert.equal(urlOf({}, { endpoint: 'https://o:2' }), 'https://o:2/v1/traces');
    });

    it('of the signal is taken as it is and wins over the base URL', () => {
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://base:1',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:2/path',
      };
      assert.equal(urlOf(env), 'http://traces:2/path');
      assert.equal(urlOf(env, { endpoint: 'http://option:3' }), 'http://option:3/v1/traces');
    });

    for (const [malformed, shown] of [
      ['127.0.0.1:4318', '`127.0.0.1:4318`, without `http://`'],
      ['ftp://h', 'one that begins with `ftp://`'],
      ['http://', 'one that begins with `http://`'],
      ['not a url', 'one without `http://`'],
    ] as const) {
      it(`falls back to the default on ${malformed}, naming what is no secret of it`, () => {
        const { config, problems } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: malformed });
        assert.equal(config.tracesUrl, 'http://127.0.0.1:4318/v1/traces');
        assert.equal(problems.length, 1);
        assert.ok(problems[0]?.includes(shown), problems[0]);
      });
    }

    it('never shows a password of a malformed URL', () => {
      const { problems } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://me:hunter2@h' });
      assert.ok(!problems.join().includes('hunter2'), problems.join());
    });
  });

  for (const [variable, bad] of [
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.01'],
    ['OTEL_TRACES_SAMPLER_ARG', '-0.01'],
    ['OTEL_TRACES_SAMPLER_ARG', 'many'],
    ['OTEL_PROPAGATORS', 'pigeon'],
    ['OTEL_BSP_SCHEDULE_DELAY', 'soon'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
    ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', '1.5'],
    ['OTEL_LOG_LEVEL', 'loud'],
  ] as const) {
    it(`reports that ${variable}=${bad} is wrong, once, and uses the default`, () => {
      const { config, problems } = read({ [variable]: bad });
      assert.equal(problems.length, 1);
      assert.ok(problems[0]?.includes(variable) && problems[0].includes(bad), problems[0]);
      const expected = read().config;
      assert.deepEqual(
        [
          config.exporter,
          config.sampler,
          config.delivery,
          config.spanLimits,
          config.logLevel,
          config.propagators,
        ],
        [
          expected.exporter,
          expected.sampler,
          expected.delivery,
          expected.spanLimits,
          expected.logLevel,
          expected.propagators,
        ],
      );
    });
  }

  it('enables no instrumentation where the list is `none`', () => {
    const { config, problems } = read({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'none' });
    assert.deepEqual(problems, []);
    assert.equal(config.isInstrumentationEnabled('clew/pg'), false);
  });

  it('adds no second path to an endpoint that names the one for traces', () => {
    const { config } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/x/v1/traces/' });
    assert.equal(config.tracesUrl, 'http://collector:4318/x/v1/traces');
  });

  it('accepts the ratios 0 and 1', () => {
    const ratio = (value: string): number =>
      read({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: value }).config.sampler
        .ratio;
    assert.equal(ratio('0'), 0);
    assert.equal(ratio('1'), 1);
  });

  it('decodes resource attributes, and names the variable but not the value when one is malformed', () => {
    const good = read({ OTEL_RESOURCE_ATTRIBUTES: 'a=b,deployment.environment.name=x%20y' });
    assert.deepEqual(good.config.resourceAttributes, {
      a: 'b',
      'deployment.environment.name': 'x y',
    });
    const bad = read({ OTEL_RESOURCE_ATTRIBUTES: 'a=b,hunter2' });
    assert.deepEqual(bad.config.resourceAttributes, { a: 'b' });
    assert.equal(bad.problems.length, 1);
    assert.ok(!bad.problems.join().includes('hunter2'));
  });

  it('enables instrumentations by short name first, then disables', () => {
    const { isInstrumentationEnabled } = read({
      OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg,http',
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http',
    }).config;
    assert.equal(isInstrumentationEnabled('clew/pg'), true);
    assert.equal(isInstrumentationEnabled('@opentelemetry/instrumentation-http'), false);
    assert.equal(isInstrumentationEnabled('clew/mysql2'), false);
  });

  it('names an unknown option and those it knows', () => {
    const { problems } = read({}, { serviceNmae: 'x' } as StartOptions);
    assert.match(problems[0] ?? '', /`serviceNmae` is ignored.*serviceName, endpoint/);
  });

  it('refuses an option of the wrong type, showing the value', () => {
    const wrong = {
      serviceName: 5,
      flushOnExit: 'yes',
      instrumentations: [{}],
    } as unknown as StartOptions;
    const { config, problems } = read({}, wrong);
    assert.equal(problems.length, 3);
    assert.ok(problems.some((problem) => problem.includes('`5` (number)')));
    assert.deepEqual(config.instrumentations, []);
    assert.equal(config.flushOnExit, true);
  });
});
