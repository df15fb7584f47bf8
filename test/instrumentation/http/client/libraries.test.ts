import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { cachedInstall } from '../../../support/user-cache.ts';
import { asCaller, Bench, caller, inOrder, TestServer } from './support.ts';

// Libraries of others, each with types of its own.
type Library = any;

const PACKAGES = [
  'axios@1',
  'got@14',
  'node-fetch@3',
  'node-fetch-2@npm:node-fetch@2',
  'superagent@10',
  '@aws-sdk/client-dynamodb@3',
];

interface Client {
  /** Sends a GET and returns the body; sends again what is answered 503. */
  get(library: Library, url: string): Promise<unknown>;
  redirects?: boolean;
  retries?: boolean;
}

const CLIENTS: Record<string, Client> = {
  axios: {
    get: async (axios, url) => (await axios.default.get(url)).data,
    redirects: true,
  },
  got: {
    get: async ({ got }, url) =>
      (
        await got(url, {
          retry: {
            limit: 2,
            calculateDelay: ({ computedValue }: { computedValue: number }) =>
              Math.min(computedValue, 10),
          },
        })
      ).body,
    redirects: true,
    retries: true,
  },
  'node-fetch': {
    get: async (fetch, url) => (await fetch.default(url)).text(),
    redirects: true,
  },
  'node-fetch-2': {
    get: async (fetch, url) => (await fetch.default(url)).text(),
    redirects: true,
  },
  superagent: {
    get: async (superagent, url) => (await superagent.default.get(url).retry(2)).text,
    redirects: true,
    retries: true,
  },
  '@aws-sdk/client-dynamodb': {
    get: async ({ DynamoDBClient, ListTablesCommand }, url) => {
      const client = new DynamoDBClient({
        endpoint: url,
        region: 'us-east-1',
        credentials: { accessKeyId: 'a', secretAccessKey: 's3cret' },
      });
      try {
        return await client.send(new ListTablesCommand({}));
      } finally {
        client.destroy();
      }
    },
    retries: true,
  },
};

describe('libraries that send requests', function () {
  this.timeout(120_000);
  let bench: Bench;
  let server: TestServer;
  let fails: number;
  let folder: string;

  before(function () {
    this.timeout(300_000);
    folder = cachedInstall('http-clients', PACKAGES);
  });

  beforeEach(async () => {
    fails = 0;
    bench = new Bench();
    server = await TestServer.start((request, response) => {
      request.resume();
      if (request.url?.startsWith('/from')) response.writeHead(302, { location: '/to' }).end();
      else if (fails-- > 0) response.writeHead(503).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  afterEach(async () => {
    await server.stop();
    bench.stop();
  });

  for (const [name, client] of Object.entries(CLIENTS)) {
    describe(name, () => {
      let library: Library;

      before(async () => {
        const file = createRequire(join(folder, 'x.js')).resolve(name);
        library = await import(pathToFileURL(file).href);
      });

      /** Each request was recorded once, and sent the trace of its own span once. */
      async function assertSpans(count: number): Promise<unknown[]> {
        const spans = await bench.spans(count);
        assert.deepEqual(
          inOrder(server.traceHeaders()),
          inOrder(
            spans.map((span) => [
              `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`,
            ]),
          ),
        );
        for (const span of spans) assert.equal(span.attributes['server.port'], server.port);
        assert.doesNotMatch(JSON.stringify(spans.map((span) => span.attributes)), /s3cret/);
        return spans.map((span) => span.attributes['http.request.resend_count']);
      }

      it('records the requests of three callers', async () => {
        const callers = await Promise.all(
          ['A', 'B', 'C'].map((who) =>
            asCaller(who, async () => {
              await client.get(library, `${server.url}/${who}`);
              return caller();
            }),
          ),
        );
        assert.deepEqual(callers, ['A', 'B', 'C']);
        assert.deepEqual(await assertSpans(3), [undefined, undefined, undefined]);
        const parents = bench.telemetry
          .spans()
          .map((span) => span.parentSpanContext?.spanId.slice(-2));
        assert.deepEqual(inOrder(parents), ['41', '42', '43']);
      });

      if (client.redirects) {
        it('counts a redirect', async () => {
          await asCaller('A', () => client.get(library, `${server.url}/from`));
          assert.deepEqual(await assertSpans(2), [undefined, 1]);
          assert.deepEqual(
            bench.telemetry.spans().map((span) => span.parentSpanContext?.spanId.slice(-2)),
            ['41', '41'],
          );
        });
      }

      if (client.retries) {
        it('counts what it sends again', async () => {
          fails = 2;
          await asCaller('A', () => client.get(library, `${server.url}/`));
          assert.deepEqual(await assertSpans(3), [undefined, 1, 2]);
        });
      }

      it('records what cannot be sent', async () => {
        await assert.rejects(asCaller('A', () => client.get(library, 'http://127.0.0.1:2/')));
        await new Promise((resolve) => setTimeout(resolve, 20));
        const spans = bench.telemetry.spans();
        assert.ok(spans.length > 0);
        for (const span of spans) assert.equal(span.attributes['error.type'], 'ECONNREFUSED');
      });
    });
  }
});
