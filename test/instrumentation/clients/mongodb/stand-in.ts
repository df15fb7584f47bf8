import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import { BSON } from 'mongodb';

/*
 * A stand-in for a MongoDB server: it speaks the wire protocol with the real driver, knows the
 * commands that the tests send, and stores nothing. What it answers depends on the collection:
 * `numbers` has five documents, `refused` is an error, `duplicate` has a write error.
 */
type Document = Record<string, unknown>;

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;
const CURSOR = 42n;

const HELLO: Document = {
  ok: 1,
  helloOk: true,
  ismaster: true,
  isWritablePrimary: true,
  minWireVersion: 0,
  maxWireVersion: 21,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
};

export interface StandIn {
  url: string;
  stop(): Promise<void>;
}

/** Starts one on a random loopback port. */
export async function startStandIn(): Promise<StandIn> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const host = `127.0.0.1:${port}`;
  HELLO['setName'] = 'clew';
  HELLO['hosts'] = [host];
  HELLO['me'] = host;
  HELLO['primary'] = host;
  return {
    url: `mongodb://${host}/?replicaSet=clew`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(socket: Socket): void {
  let received = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= HEADER && received.length >= received.readInt32LE(0)) {
      const length = received.readInt32LE(0);
      const message = received.subarray(0, length);
      received = received.subarray(length);
      const id = message.readInt32LE(4);
      const isQuery = message.readInt32LE(12) === OP_QUERY;
      const command = isQuery ? queryOf(message) : documentOf(message);
      socket.write(isQuery ? replyTo(id, HELLO) : messageTo(id, answer(command)));
    }
  });
}

function answer(command: Document): Document {
  const [name = ''] = Object.keys(command);
  const target = command[name];
  if (target === 'refused') {
    return { ok: 0, code: 2, codeName: 'BadValue', errmsg: 'the value was secret-value' };
  }
  const rows = (from: number, to: number): Document[] =>
    Array.from({ length: to - from }, (_, index) => ({ _id: from + index, text: 'secret-value' }));
  switch (name) {
    case 'hello':
    case 'ismaster':
      return HELLO;
    case 'find':
      if (target !== 'numbers') return cursor('firstBatch', target, []);
      return command['batchSize'] === undefined || command['limit'] === 1
        ? cursor('firstBatch', target, rows(0, command['limit'] === 1 ? 1 : 5))
        : cursor('firstBatch', target, rows(0, 3), CURSOR);
    case 'getMore':
      return cursor('nextBatch', command['collection'], rows(3, 5));
    case 'aggregate':
      return cursor('firstBatch', target, [{ _id: 1, n: 5 }]);
    case 'insert':
      return target === 'duplicate'
        ? {
            ok: 1,
            n: 0,
            writeErrors: [{ index: 0, code: 11_000, errmsg: 'dup key: { _id: "secret-value" }' }],
          }
        : { ok: 1, n: (command['documents'] as unknown[]).length };
    case 'findAndModify':
      return { ok: 1, value: null };
    default:
      return { ok: 1, n: 1, nModified: 1 };
  }
}

function cursor(batch: string, collection: unknown, rows: Document[], id = 0n): Document {
  const ns = `test.${String(collection)}`;
  return { ok: 1, cursor: { id: BSON.Long.fromBigInt(id), ns, [batch]: rows } };
}

/** The command of a legacy query, which only the handshake uses. */
function queryOf(message: Buffer): Document {
  const end = message.indexOf(0, HEADER + 4);
  return BSON.deserialize(message.subarray(end + 9));
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
