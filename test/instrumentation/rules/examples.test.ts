import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';

import { OperationResource } from '../../../src/carry/operation-resource.ts';
import { wrap } from '../../../src/instrumentation/wrap.ts';
import { AsyncResourceTracer } from '../../../src/tracer/async-resource-tracer.ts';
import type { AsyncTrace } from '../../../src/tracer/record.ts';
import { as, store } from '../wrap/support.ts';
import { skipSuite } from '../../support/services.ts';

/*
 * The two examples this package grew from, as docs/rules.md shows them: a query class that is an
 * async resource, and a native add-on whose callbacks come from outside JavaScript.
 */

interface Seen {
  type: string;
  description: string | undefined;
}

/** What the async-resource tracer shows of `act`: the records of that type. */
async function traced(type: string, act: () => Promise<void>): Promise<Seen[]> {
  const traces: AsyncTrace[] = [];
  const tracer = new AsyncResourceTracer({ onTrace: (trace) => traces.push(trace) });
  tracer.start('trace');
  await act();
  await new Promise((resolve) => setImmediate(resolve));
  tracer.stop();
  return traces
    .flatMap(({ records }) => records)
    .filter((record) => record.type === type)
    .map(({ type, description }) => ({ type, description }));
}

/** A database client whose one connection was opened at start-up. */
class Connection extends EventEmitter {
  readonly #waiting: (() => void)[] = [];

  get(query: string, callback: (error: null, row: string) => void): void {
    this.#waiting.push(() => callback(null, `row of ${query}`));
  }

  /** The socket has data: every callback that waits is called. */
  receive(): void {
    for (const each of this.#waiting.splice(0)) each();
  }
}

describe('a DBQuery class that extends AsyncResource', () => {
  class DBQuery extends AsyncResource {
    readonly #connection: Connection;

    constructor(connection: Connection) {
      super('DBQuery');
      this.#connection = connection;
    }

    getInfo(query: string, callback: (error: null, row: string) => void): void {
      this.#connection.get(query, (error, row) => {
        this.runInAsyncScope(callback, undefined, error, row);
        this.emitDestroy();
      });
    }
  }

  class ClewQuery {
    readonly #connection: Connection;

    constructor(connection: Connection) {
      this.#connection = connection;
    }

    getInfo(query: string, callback: (error: null, row: string) => void): void {
      const operation = new OperationResource('DBQuery', { description: query });
      this.#connection.get(query, (error, row) => {
        operation.run(callback, undefined, error, row);
        operation.end();
      });
    }
  }

  for (const Query of [DBQuery, ClewQuery]) {
    it(`gives each callback its caller and is seen by its type (${Query.name})`, async () => {
      const connection = new Connection();
      const seen: unknown[] = [];
      const records = await traced('DBQuery', async () => {
        for (const caller of ['A', 'B']) {
          as(caller, () => {
            new Query(connection).getInfo(caller, (error, row) => {
              seen.push([store.getStore(), error, row]);
            });
          });
        }
        as('X', () => connection.receive());
      });
      assert.deepEqual(seen, [
        ['A', null, 'row of A'],
        ['B', null, 'row of B'],
      ]);
      const descriptions = Query === ClewQuery ? ['A', 'B'] : [undefined, undefined];
      assert.deepEqual(
        records.map(({ description }) => description),
        descriptions,
      );
    });
  }
});

describe('utp-native, a native add-on', () => {
  const require = createRequire(import.meta.url);
  let utp: any;
  before(function () {
    try {
      utp = require('utp-native');
    } catch {
      // The package brings binaries for the common platforms; it is not compiled for a test.
      skipSuite(this, 'utp-native: its binary does not load on this platform');
    }
  });

  /** Sends a datagram for each caller over one socket and says who is active when it was sent. */
  async function send(): Promise<unknown[]> {
    const socket = utp();
    const receiver = utp();
    receiver.bind(0, '127.0.0.1');
    await once(receiver, 'listening');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = receiver.address();
    const seen: unknown[] = [];
    const sent = ['A', 'B'].map(
      (caller) =>
        new Promise<void>((resolve) => {
          as(caller, () => {
            const data = Buffer.from(caller);
            socket.send(data, 0, data.length, port, '127.0.0.1', (error: unknown) => {
              seen.push([caller, store.getStore(), error]);
              resolve();
            });
          });
        }),
    );
    await Promise.all(sent);
    for (const each of [socket, receiver]) {
      each.close();
      await once(each, 'close');
    }
    return seen;
  }

  it('loses its callers without a rule', async () => {
    const seen = (await send()) as unknown[][];
    assert.ok(
      seen.some(([caller, active]) => caller !== active),
      JSON.stringify(seen),
    );
  });

  it('keeps them with one line, and is seen by its type', async () => {
    let seen: unknown[] = [];
    const undo = wrap(utp.prototype, { kind: 'args', method: 'send', type: 'UTPNative' });
    const records = await traced('UTPNative', async () => {
      seen = await send();
    });
    undo();
    assert.deepEqual(seen, [
      ['A', 'A', null],
      ['B', 'B', null],
    ]);
    assert.equal(records.length, 2);
  });

  it('keeps the listeners of a connection with another', async () => {
    const Connection = require('utp-native/lib/connection');
    const undo = wrap(Connection.prototype, { kind: 'emitter', type: 'UTPNative' });
    const server = utp.createServer((connection: any) => connection.pipe(connection));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = utp.connect(server.address().port, '127.0.0.1');
    const seen: unknown[] = await new Promise((resolve) => {
      as('A', () => {
        client.on('data', (data: Buffer) => resolve([data.toString(), store.getStore()]));
      });
      client.write('hello');
    });
    client.end();
    await once(client, 'close');
    server.close();
    await once(server, 'close');
    undo();
    assert.deepEqual(seen, ['hello', 'A']);
  });
});
