import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import { BSON } from 'mongodb';

/*
 * A stand-in for a MongoDB server: it speaks the wire protocol with the real driver, knows the
 * commands that the tests send, and stores nothing. What it answers depends on the collection:
 * `numbers` has five documents, `refused` is an error, `duplicate` has a write error, of
 * `unconcerned` a write concern is not met, `lost` forgets its cursors, the first command about
 * `flaky` finds the server about to shut down, about `broken` the connection ends, and about `held`
 * the answer comes when the test wants it to. A collection
 * that is watched has two changes at once, one more with the next answer, and no others.
 */
type Document = Record<string, unknown>;

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const MORE_TO_COME = 2;
const HEADER = 16;
const CURSOR = 42n;
const CHANGES = 43n;
const NO_MORE_CHANGES = 44n;
/** How long a server waits for changes before it says that there are none. */
const AWAIT = 10;

/** What a server says of itself; `minWireVersion` and its like are those of MongoDB 8. */
const helloOf = (host: string): Document => ({
  ok: 1,
  helloOk: true,
  ismaster: true,
  isWritablePrimary: true,
  minWireVersion: 0,
  maxWireVersion: 25,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  setName: 'clew',
  hosts: [host],
  me: host,
  primary: host,
});

export interface StandIn {
  url: string;
  /** Kept once so many commands about `held` have come. */
  held(count: number): Promise<void>;
  /** Answers these, and all that come after them. */
  release(): void;
  stop(): Promise<void>;
}

/** Starts one on a random loopback port. */
export async function startStandIn(): Promise<StandIn> {
  const sockets = new Set<Socket>();
  const answers = new Answers();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, answers);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const host = `127.0.0.1:${port}`;
  answers.hello = helloOf(host);
  return {
    url: `mongodb://${host}/?replicaSet=clew`,
    held: (count) => answers.held(count),
    release: () => answers.release(),
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(socket: Socket, answers: Answers): void {
  let received = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= HEADER && received.length >= received.readInt32LE(0)) {
      const length = received.readInt32LE(0);
      const message = received.subarray(0, length);
      received = received.subarray(length);
      const id = message.readInt32LE(4);
      if (message.readInt32LE(12) === OP_QUERY) {
        socket.write(replyTo(id, answers.hello));
        continue;
      }
      const answer = answers.to(documentOf(message));
      if (answer === undefined) socket.destroy();
      else if (!(message.readInt32LE(HEADER) & MORE_TO_COME)) {
        const send = (): void => void (socket.destroyed || socket.write(messageTo(id, answer)));
        if (isHeld(answer)) answers.hold(send);
        else if (answer['after'] === undefined) send();
        else setTimeout(send, AWAIT);
      }
    }
  });
}

/** What one server answers; `undefined` ends the connection. */
class Answers {
  hello: Document = {};
  #shutDown = false;
  #waiting: (() => void)[] | undefined = [];
  #told: { count: number; tell: () => void } | undefined;

  /** Keeps an answer until `release`. */
  hold(send: () => void): void {
    if (!this.#waiting) return send();
    this.#waiting.push(send);
    if (this.#waiting.length === this.#told?.count) this.#told.tell();
  }

  held(count: number): Promise<void> {
    return new Promise((tell) => (this.#told = { count, tell }));
  }

  release(): void {
    for (const send of this.#waiting ?? []) send();
    this.#waiting = undefined;
  }

  to(command: Document): Document | undefined {
    const [name = ''] = Object.keys(command);
    const target = command[name];
    if (target === 'broken') return undefined;
    if (target === 'refused') {
      return { ok: 0, code: 2, codeName: 'BadValue', errmsg: 'the value was secret-value' };
    }
    if (target === 'flaky' && !this.#shutDown) {
      this.#shutDown = true;
      return { ok: 0, code: 11_600, codeName: 'InterruptedAtShutdown', errmsg: 'secret-value' };
    }
    switch (name) {
      case 'hello':
      case 'ismaster':
        return this.hello;
      case 'find':
        return found(command);
      case 'getMore':
        return more(command);
      case 'aggregate':
        return JSON.stringify(command['pipeline']).includes('$changeStream')
          ? changed('firstBatch', target, [1, 2], CHANGES)
          : cursor('firstBatch', target, [{ _id: 1, n: 5 }]);
      case 'insert':
        return inserted(target, command['documents'] as unknown[]);
      case 'bulkWrite':
        return bulkWritten(command['ops'] as Document[]);
      case 'findAndModify':
        return { ok: 1, value: null };
      default:
        return { ok: 1, n: 1, nModified: 1 };
    }
  }
}

function isHeld(answer: Document): boolean {
  return (answer['cursor'] as Document | undefined)?.['ns'] === 'test.held';
}

const rows = (from: number, to: number): Document[] =>
  Array.from({ length: to - from }, (_, index) => ({ _id: from + index, text: 'secret-value' }));

function found({ find, batchSize, limit }: Document): Document {
  if (find === 'lost') return cursor('firstBatch', find, rows(0, 3), CURSOR);
  if (find !== 'numbers') return cursor('firstBatch', find, []);
  return batchSize === undefined || limit === 1
    ? cursor('firstBatch', find, rows(0, limit === 1 ? 1 : 5))
    : cursor('firstBatch', find, rows(0, 3), CURSOR);
}

function more({ getMore, collection }: Document): Document {
  if (collection === 'lost') {
    return { ok: 0, code: 43, codeName: 'CursorNotFound', errmsg: 'cursor id 42 not found' };
  }
  const id = BigInt(String(getMore));
  if (id === CHANGES) return changed('nextBatch', collection, [3], NO_MORE_CHANGES);
  if (id === NO_MORE_CHANGES) {
    return { ...changed('nextBatch', collection, [], NO_MORE_CHANGES), after: AWAIT };
  }
  return cursor('nextBatch', collection, rows(3, 5));
}

function inserted(target: unknown, documents: unknown[]): Document {
  const error = { code: 11_000, errmsg: 'dup key: { _id: "secret-value" }' };
  switch (target) {
    case 'duplicate':
      return { ok: 1, n: 0, writeErrors: [{ index: 0, ...error }] };
    case 'unconcerned':
      return { ok: 1, n: 1, writeConcernError: { code: 64, errmsg: 'secret-value' } };
    default:
      return { ok: 1, n: documents.length };
  }
}

/** The writes of several collections; those of `duplicate`, which is a document's text, fail. */
function bulkWritten(ops: Document[]): Document {
  const results = ops.map((op, idx) =>
    JSON.stringify(op).includes('duplicate')
      ? { ok: 0, idx, n: 0, code: 11_000, errmsg: 'dup key: { _id: "secret-value" }' }
      : { ok: 1, idx, n: 1 },
  );
  const nErrors = results.filter(({ ok }) => ok === 0).length;
  const counts = { nErrors, nInserted: 1, nUpserted: 0, nMatched: 0, nModified: 0, nDeleted: 1 };
  return { ...counts, ...cursor('firstBatch', '$cmd.bulkWrite', nErrors > 0 ? results : []) };
}

function changed(batch: string, collection: unknown, ids: number[], id: bigint): Document {
  const events = ids.map((_id) => ({
    _id: { _data: String(_id) },
    operationType: 'insert',
    fullDocument: { _id, text: 'secret-value' },
    documentKey: { _id },
    ns: { db: 'test', coll: collection },
  }));
  const answer = cursor(batch, collection, events, id);
  Object.assign(answer['cursor'] as Document, { postBatchResumeToken: { _data: 'token' } });
  return answer;
}

function cursor(batch: string, collection: unknown, rows: Document[], id = 0n): Document {
  const ns = `test.${String(collection)}`;
  return { ok: 1, cursor: { id: BSON.Long.fromBigInt(id), ns, [batch]: rows } };
}

/** The command of a message, whose lists of documents may come in sections of their own. */
function documentOf(message: Buffer): Document {
  let command: Document = {};
  const lists: Document = {};
  for (let at = HEADER + 4; at < message.length;) {
    const kind = message[at];
    const size = message.readInt32LE(at + 1);
    const body = message.subarray(at + 1, at + 1 + size);
    at += 1 + size;
    if (kind === 0) {
      command = BSON.deserialize(body);
      continue;
    }
    const nameEnd = body.indexOf(0, 4);
    const documents: Document[] = [];
    for (let from = nameEnd + 1; from < body.length; from += body.readInt32LE(from)) {
      documents.push(BSON.deserialize(body.subarray(from, from + body.readInt32LE(from))));
    }
    lists[body.toString('utf8', 4, nameEnd)] = documents;
  }
  return { ...command, ...lists };
}

function messageTo(id: number, document: Document): Buffer {
  const body = BSON.serialize(document);
  const head = header(HEADER + 5 + body.length, id, OP_MSG);
  return Buffer.concat([head, Buffer.alloc(5), body]);
}

function replyTo(id: number, document: Document): Buffer {
  const body = BSON.serialize(document);
  const flags = Buffer.alloc(20);
  flags.writeInt32LE(8, 0);
  flags.writeInt32LE(1, 16);
  return Buffer.concat([header(HEADER + 20 + body.length, id, OP_REPLY), flags, body]);
}

function header(length: number, responseTo: number, opCode: number): Buffer {
  const head = Buffer.alloc(HEADER);
  head.writeInt32LE(length, 0);
  head.writeInt32LE(responseTo, 8);
  head.writeInt32LE(opCode, 12);
  return head;
}
