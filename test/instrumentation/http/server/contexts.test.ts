import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { PassThrough, pipeline, Writable } from 'node:stream';

import { context, createContextKey, trace } from '@opentelemetry/api';

import { getInstrumentations } from '../../../../src/instrumentation/index.ts';
import { registerTelemetry } from '../../support/telemetry.ts';
import { get, RawClient, serving, setUp, until, type Setup } from './support.ts';

const STEP = createContextKey('step');

/** The path of the request that is active, and the step that the application entered in it. */
function seen(): string {
  const span = trace.getActiveSpan() as { attributes?: Record<string, string> } | undefined;
  const path = span?.attributes?.['url.path'] ?? 'none';
  const step = context.active().getValue(STEP) as string | undefined;
  return step === undefined ? path : `${path} ${step}`;
}

const inStep = <Result>(step: string, run: () => Result): Result =>
  context.with(context.active().setValue(STEP, step), run);

type Noted = Map<string, string[]>;

/** A body in parts, each when the server has had time for the one before. */
async function upload(client: RawClient, path: string, parts: string[]): Promise<void> {
  client.send(`POST ${path} HTTP/1.1`, 'Host: test', 'Transfer-Encoding: chunked', '', '');
  for (const part of parts) {
    await new Promise((resolve) => setTimeout(resolve, 3));
    client.send(part.length.toString(16), part, '');
  }
  client.send('0', '', '');
}

describe('the context in a server', () => {
  let setup: Setup;
  let noted: Noted;
  beforeEach(() => {
    setup = setUp();
    noted = new Map();
  });
  afterEach(() => setup.stop());

  const note = (request: IncomingMessage, event: string): void => {
    const path = request.url ?? '';
    noted.set(path, [...(noted.get(path) ?? []), `${event}: ${seen()}`]);
  };

  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    for (const event of ['data', 'end', 'close'] as const) {
      request.on(event, () => note(request, `request ${event}`));
    }
    for (const event of ['prefinish', 'finish', 'close', 'drain', 'pipe', 'unpipe'] as const) {
      response.on(event, () => note(request, `response ${event}`));
    }
  };

  const expectAll = (path: string, context: string, least: number): void => {
    const lines = noted.get(path) ?? [];
    assert.ok(lines.length >= least, `${path}: ${lines.join(', ')}`);
    for (const line of lines) assert.equal(line.slice(line.indexOf(': ') + 2), context, line);
  };

  it('is that of the request in every event, for three callers that keep their connections', async () => {
    await serving(
      (request, response) => {
        listen(request, response);
        request.on('end', () => {
          response.write('x'.repeat(100_000), () => note(request, 'written'));
          setTimeout(() => response.end('end.', () => note(request, 'ended')), 2);
        });
      },
      async (port) => {
        const caller = async (name: string): Promise<void> => {
          const client = new RawClient(port);
          for (const path of [`/${name}1`, `/${name}2`]) {
            client.received = '';
            await upload(client, path, ['first', 'second']);
            await client.receives('end.');
          }
          client.close();
        };
        await Promise.all(['a', 'b', 'c'].map(caller));
        await setup.requests(6);
      },
    );
    assert.equal(noted.size, 6);
    for (const path of noted.keys()) expectAll(path, path, 8);
  });

  it('is the one that the application entered before it read the body', async () => {
    const server = createServer((request, response) => {
      inStep('middleware', () => {
        listen(request, response);
        request.on('end', () => response.end('done'));
      });
    });
    await serving(server, async (port) => {
      const client = new RawClient(port);
      await upload(client, '/body', ['first', 'second']);
      await client.receives('done');
      client.close();
      await setup.requests(1);
    });
    expectAll('/body', '/body middleware', 5);
  });

  it('is the one entered before a body is iterated, piped or read at once', async () => {
    const readers: Record<string, (request: IncomingMessage) => Promise<void>> = {
      '/iterated': async (request) => {
        for await (const _part of request) note(request, 'part');
      },
      '/piped': async (request) => {
        const target = new Writable({
          write: (_chunk, _encoding, done) => {
            note(request, 'write');
            done();
          },
        });
        await new Promise((resolve) => request.pipe(target).on('finish', resolve));
        note(request, 'finish');
      },
      '/pipeline': async (request) => {
        const through = new PassThrough().on('data', () => note(request, 'data'));
        await new Promise((resolve) => pipeline(request, through, resolve));
        note(request, 'done');
      },
      '/readable': async (request) => {
        await new Promise<void>((resolve) => {
          request.on('readable', () => {
            note(request, 'readable');
            while (request.read() !== null) note(request, 'read');
          });
          request.on('end', resolve);
        });
      },
    };
    await serving(
      (request, response) => {
        void inStep('reading', async () => {
          await readers[request.url ?? '']?.(request);
          note(request, 'after');
          response.end('done');
        });
      },
      async (port) => {
        for (const path of Object.keys(readers)) {
          const client = new RawClient(port);
          await upload(client, path, ['first', 'second']);
          await client.receives('done');
          client.close();
        }
        await setup.requests(4);
      },
    );
    for (const path of Object.keys(readers)) expectAll(path, `${path} reading`, 2);
  });

  it('is that of the listener for pipelined requests that are read and answered crosswise', async () => {
    const waiting: (() => void)[] = [];
    await serving(
      (request, response) => {
        inStep(`step${request.url}`, () => {
          listen(request, response);
          request.resume();
          waiting.push(() => response.end('done.'));
          // One request's turn answers all of them.
          if (waiting.length === 3) for (const answer of waiting.toReversed()) answer();
        });
      },
      async (port) => {
        const client = new RawClient(port).send(get('/1') + get('/2') + get('/3'));
        await until(
          () => client.received.split('done.').length === 4,
          () => 'three answers',
        );
        client.close();
        await setup.requests(3);
      },
    );
    for (const path of ['/1', '/2', '/3']) expectAll(path, `${path} step${path}`, 3);
  });

  it('is that of the request where its connection is lost', async () => {
    await serving(
      (request, response) => {
        listen(request, response);
        inStep('inner', () => {
          request.on('aborted', () => note(request, 'aborted'));
          request.on('error', () => note(request, 'error'));
        });
        request.resume();
      },
      async (port) => {
        const client = new RawClient(port).send(
          'POST /lost HTTP/1.1',
          'Host: test',
          'Content-Length: 10',
          '',
          'part',
        );
        await until(
          () => noted.has('/lost'),
          () => 'a part of the body',
        );
        client.close();
        await setup.requests(1);
        await until(
          () => (noted.get('/lost') ?? []).length >= 5,
          () => String(noted.get('/lost')),
        );
      },
    );
    assert.deepEqual(noted.get('/lost')?.toSorted(), [
      'aborted: /lost inner',
      'error: /lost inner',
      'request close: /lost',
      'request data: /lost',
      'response close: /lost',
    ]);
  });

  it('is the same for an application that brings its own SDK, without rules', async () => {
    setup.stop();
    const telemetry = registerTelemetry();
    const [instrumentation] = getInstrumentations().filter(
      ({ instrumentationName }) => instrumentationName === 'clew/http',
    );
    assert.ok(instrumentation);
    instrumentation.enable();
    try {
      await serving(
        (request, response) => {
          inStep('inner', () => {
            listen(request, response);
            request.on('end', () => response.end('done'));
          });
        },
        async (port) => {
          const client = new RawClient(port);
          await upload(client, '/own', ['first', 'second']);
          await client.receives('done');
          client.close();
          await until(
            () => telemetry.spans().length === 1,
            () => 'a span',
          );
        },
      );
    } finally {
      instrumentation.disable();
    }
    expectAll('/own', '/own inner', 5);
  });

  it('is none on a connection between two requests', async () => {
    const between: string[] = [];
    const server = createServer((request, response) => response.end(request.url));
    server.on('connection', (socket) => {
      socket.on('data', () => between.push(seen()));
      socket.on('close', () => between.push(seen()));
    });
    await serving(server, async (port) => {
      const client = new RawClient(port);
      await client.send(get('/1')).receives('/1');
      await client.send(get('/2')).receives('/2');
      client.close();
      await until(
        () => between.length >= 3,
        () => String(between),
      );
    });
    assert.deepEqual(new Set(between), new Set(['none']));
  });
});
