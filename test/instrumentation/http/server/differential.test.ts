import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer, type Server } from 'node:http';

import { get, RawClient, serving, setUp, turns, until, type Setup } from './support.ts';

/*
 * The same conversations with a bare server and with one that is instrumented: what is sent, which
 * events come in which order, how many listeners there are.
 */

/** What happened, line by line. */
type Log = (line: string) => void;

interface Conversation {
  server: (log: Log) => Server;
  /** The lines of the client, and what it waits for after each. */
  client: [send: string, receives: string][];
  /** Whether the client then resets the connection. */
  resets?: boolean;
}

const REQUEST_EVENTS = ['resume', 'data', 'end', 'aborted', 'error', 'close'] as const;
const RESPONSE_EVENTS = ['prefinish', 'finish', 'drain', 'error', 'close'] as const;

/** Logs the events of both messages and how many listeners they have at the beginning. */
function logged(log: Log, answer: Parameters<typeof createServer>[1]): Server {
  return createServer((request, response) => {
    log(`request ${request.method} ${request.url}`);
    for (const event of new Set([...REQUEST_EVENTS, ...RESPONSE_EVENTS])) {
      log(`${event}: ${request.listenerCount(event)} ${response.listenerCount(event)}`);
      log(`${event}: ${request.socket.listenerCount(event)}`);
    }
    log(`names ${[...request.eventNames(), ...response.eventNames()].join()}`);
    log(`own ${Object.keys(request).join()} ${Object.keys(response).join()}`);
    log(`own of the socket ${keysOf(request.socket)}`);
    for (const event of REQUEST_EVENTS) request.on(event, () => log(`request ${event}`));
    for (const event of RESPONSE_EVENTS) response.on(event, () => log(`response ${event}`));
    answer?.(request, response);
    log('answered');
  });
}

/** Without Node's note of the address, which is there once anybody has asked for it. */
const keysOf = (socket: object): string =>
  Object.keys(socket)
    .filter((key) => key !== '_peername')
    .join();

const BODY = 'POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n';
const CONVERSATIONS: Record<string, Conversation> = {
  'an answer at once': {
    server: (log) => logged(log, (_request, response) => response.end('done.')),
    client: [[get('/1'), 'done.']],
  },
  'a connection that is kept': {
    server: (log) => logged(log, (request, response) => response.end(`${request.url}.`)),
    client: [
      [get('/1'), '/1.'],
      [get('/2'), '/2.'],
    ],
  },
  'pipelined requests': {
    server: (log) => logged(log, (request, response) => response.end(`${request.url}.`)),
    client: [[get('/1') + get('/2') + get('/3'), '/3.']],
  },
  'a body that is read': {
    server: (log) =>
      logged(log, (request, response) => {
        request.on('end', () => response.end('done.'));
      }),
    client: [[`${BODY}\r\nbody`, 'done.']],
  },
  'a body that is left': {
    server: (log) => logged(log, (_request, response) => response.end('done.')),
    client: [[`${BODY}\r\nbody`, 'done.']],
  },
  'a body that is announced': {
    server: (log) =>
      logged(log, (request, response) => {
        request.on('end', () => response.end('done.'));
      }),
    client: [
      [`${BODY}Expect: 100-continue\r\n\r\n`, 'Continue'],
      ['body', 'done.'],
    ],
  },
  'a body that is announced to a listener': {
    server: (log) =>
      logged(log, (_request, response) => response.end('done.')).on(
        'checkContinue',
        (_request, response) => {
          log('checkContinue');
          response.writeHead(417).end('refused.');
        },
      ),
    client: [[`${BODY}Expect: 100-continue\r\n\r\n`, 'refused.']],
  },
  'an expectation of another kind': {
    server: (log) => logged(log, (_request, response) => response.end('done.')),
    client: [[get('/', 'Expect: nonsense'), '417']],
  },
  'informational answers': {
    server: (log) =>
      logged(log, (_request, response) => {
        response.writeProcessing();
        response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => log('hinted'));
        response.end('done.', () => log('ended'));
      }),
    client: [[get('/'), 'done.']],
  },
  'a response that is written twice': {
    server: (log) =>
      logged(log, (_request, response) => {
        response.end('done.');
        response.end('more', (error?: Error) =>
          log(`ended ${(error as NodeJS.ErrnoException)?.code}`),
        );
        response.write('more', (error) => log(`written ${(error as NodeJS.ErrnoException)?.code}`));
        try {
          response.setHeader('x-late', '1');
        } catch (error) {
          log(`thrown ${(error as NodeJS.ErrnoException).code}`);
        }
      }),
    client: [[get('/'), 'done.']],
  },
  'a response that is destroyed': {
    server: (log) =>
      logged(log, (_request, response) => {
        response.destroy(new Error('given up'));
      }),
    client: [[get('/'), '']],
  },
  'a client that goes away': {
    server: (log) => logged(log, () => undefined),
    client: [[`${BODY}\r\nbo`, '']],
    resets: true,
  },
  'a request that is none': {
    server: (log) =>
      logged(log, () => undefined).on('clientError', (error: NodeJS.ErrnoException, socket) => {
        log(`clientError ${error.code}`);
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      }),
    client: [['NONSENSE\r\n\r\n', '400']],
  },
  'an upgrade that nobody takes': {
    server: (log) => logged(log, (_request, response) => response.end('done.')),
    client: [[get('/', 'Connection: Upgrade', 'Upgrade: test'), 'done.']],
  },
  'an upgrade': {
    server: (log) =>
      createServer().on('upgrade', (request, socket, head) => {
        log(`upgrade ${request.url} ${head.length} ${socket.eventNames().join()}`);
        log(`own ${Object.keys(request).join()}`);
        for (const event of ['data', 'end', 'finish', 'close'] as const) {
          socket.on(event, () => log(`socket ${event}`));
        }
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n', () => log('written'));
        socket.on('data', () => socket.end('bye.', () => log('ended')));
        log(`own of the socket ${keysOf(socket)}`);
      }),
    client: [
      [get('/', 'Connection: Upgrade', 'Upgrade: test'), '101'],
      ['hello', 'bye.'],
    ],
  },
  'a handler that rejects': {
    server: (log) => {
      EventEmitter.captureRejections = true;
      const server = createServer();
      EventEmitter.captureRejections = false;
      // oxlint-disable-next-line typescript/no-misused-promises
      server.on('request', async (_request, response) => {
        response.on('close', () => log('close'));
        await turns(1);
        throw new Error('rejected');
      });
      return server;
    },
    client: [[get('/'), '500']],
  },
};

async function hold({ server: make, client: lines, resets }: Conversation): Promise<string[]> {
  const log: string[] = [];
  const server = make((line) => log.push(line));
  let received = '';
  await serving(server, async (port) => {
    const client = new RawClient(port);
    client.socket.on('close', () => log.push('client closed'));
    for (const [send, awaited] of lines) {
      client.send(send);
      await client.receives(awaited);
      await turns(5);
    }
    if (resets === true) {
      await until(
        () => log.includes('answered'),
        () => 'a handler',
      );
      await turns(10);
      client.socket.resetAndDestroy();
    } else client.close();
    await until(
      () => log.includes('client closed'),
      () => 'the end',
    );
    await turns(20);
    received = client.received;
  });
  return [
    ...log.filter((line) => line !== 'client closed'),
    received.replace(/^Date:.*$/gm, 'Date'),
  ];
}

describe('a server that is instrumented differs in nothing from a bare one', () => {
  let setup: Setup | undefined;
  afterEach(() => {
    setup?.stop();
    setup = undefined;
  });

  for (const [name, conversation] of Object.entries(CONVERSATIONS)) {
    it(`in ${name}`, async () => {
      const bare = await hold(conversation);
      setup = setUp();
      const instrumented = await hold(conversation);
      assert.deepEqual(instrumented, bare);
      // Node answers the others by itself.
      const isSeen = bare.some((line) => /^(?:request|upgrade|checkContinue|close)/.test(line));
      assert.equal(setup.spans().length > 0, isSeen);
    });
  }

  it('in what its methods look like', () => {
    const looks = (): unknown[] => {
      const server = createServer();
      // As a mixin copies methods. Where in the chain of prototypes they stand does differ.
      const met: string[] = [];
      for (const name in server) met.push(name);
      return [
        server.emit.name,
        server.emit.length,
        server.listeners('request'),
        Object.keys(server).join(),
        met.toSorted().join(),
      ];
    };
    const bare = looks();
    setup = setUp();
    assert.deepEqual(looks(), bare);
  });
});
