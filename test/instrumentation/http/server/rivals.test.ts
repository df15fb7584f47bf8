import assert from 'node:assert/strict';
import http from 'node:http';
import { createRequire } from 'node:module';

import { trace } from '@opentelemetry/api';
import { HttpInstrumentation as Official } from '@opentelemetry/instrumentation-http';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

import { stub } from 'sinon';

import { setLogLevel } from '../../../../src/base/log.ts';
import { get, RawClient, serving, setUp, until, type Setup } from './support.ts';

const OFFICIAL = '@opentelemetry/instrumentation-http';

describe('our instrumentation of HTTP servers beside the official one', () => {
  let setup: Setup | undefined;
  let official: Official | undefined;
  afterEach(() => {
    setup?.stop();
    official?.disable();
    [setup, official] = [undefined, undefined];
  });

  const start = (provider = trace.getTracerProvider()): void => {
    official = new Official();
    official.setTracerProvider(provider);
    // It replaces the methods when the module is required.
    createRequire(import.meta.url)('http');
  };

  const ask = async (): Promise<void> => {
    await serving(
      http.createServer((_request, response) => response.end('done.')),
      async (port) => {
        for (const path of ['/1', '/2']) {
          const client = new RawClient(port).send(get(path));
          await client.receives('done.');
          client.close();
        }
      },
    );
  };

  const scopes = async (current: Setup): Promise<string[]> => {
    await until(
      () => current.spans().length >= 2,
      () => 'two spans',
    );
    return current.spans().map(({ instrumentationScope }) => instrumentationScope.name);
  };

  it('leaves the spans to it where it came after ours, and reports it once', async () => {
    setup = setUp();
    start();
    setLogLevel('debug');
    const write = stub(process.stderr, 'write').returns(true);
    await ask();
    const lines = write.args.map(([text]) => String(text).trim());
    write.restore();
    setLogLevel('none');
    assert.deepEqual(await scopes(setup), [OFFICIAL, OFFICIAL]);
    const said = lines.filter((line) => line.includes('HTTP requests'));
    assert.deepEqual(said, [
      'clew: spans of incoming HTTP requests are created by your @opentelemetry/instrumentation-http.',
    ]);
  });

  it('leaves the spans to it where it came first', async () => {
    start();
    setup = setUp();
    official?.setTracerProvider(trace.getTracerProvider());
    await ask();
    assert.deepEqual(await scopes(setup), [OFFICIAL, OFFICIAL]);
  });

  it('leaves the spans to it where it has a provider of its own', async () => {
    setup = setUp();
    start(new BasicTracerProvider());
    await ask();
    assert.deepEqual(setup.spans(), []);
  });

  it('makes the spans where that is for outgoing requests alone, or switched off', async () => {
    setup = setUp();
    start();
    official?.disable();
    official = new Official({ disableIncomingRequestInstrumentation: true });
    createRequire(import.meta.url)('http');
    await ask();
    assert.deepEqual(await scopes(setup), ['clew/http', 'clew/http']);
  });
});
