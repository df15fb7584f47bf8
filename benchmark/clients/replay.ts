import { AsyncResource } from 'node:async_hooks';
import { Socket } from 'node:net';

/*
 * A server whose part is played by what it said before. A client's connections are opened to a real
 * server, one call is recorded, and from then on its answers come without the kernel, the network
 * and the server: what is left is the client, Node's streams and whoever instruments, whose cost is
 * no longer lost in the noise of the rest.
 */

/** What was said on a socket: so many bytes, and then the answer to them, and so on. */
type Tape = { asked: number; answer: Buffer[] }[];
type Told = (error?: Error | null) => void;
interface Chunk {
  chunk: string | Uint8Array;
  encoding: BufferEncoding;
}

/** The parts of a socket that its streams call. */
interface Ends {
  _write: (this: Socket, chunk: Chunk['chunk'], encoding: BufferEncoding, told: Told) => void;
  _writev: (this: Socket, chunks: Chunk[], told: Told) => void;
  push: (this: Socket, chunk: Buffer | null) => boolean;
}

const prototype = Socket.prototype as unknown as Ends & {
  connect: (this: Socket, ...args: unknown[]) => Socket;
};
const opened = new Set<Socket>();

/** Remembers the sockets that are opened from now on. */
export function watchSockets(): void {
  const { connect } = prototype;
  prototype.connect = function (...args) {
    opened.add(this);
    return connect.apply(this, args);
  };
}

/** Records one `call`, and replays it on the sockets it used whenever they are written to again. */
export async function replay(call: () => unknown): Promise<void> {
  const tapes = new Map([...opened].map((socket) => [socket, record(socket)]));
  await call();
  for (const [socket, tape] of tapes) if (tape.length > 0) play(socket, tape);
}

function record(socket: Socket): Tape {
  const tape: Tape = [];
  const asked = (bytes: number): void => {
    const last = tape.at(-1);
    if (last?.answer.length === 0) last.asked += bytes;
    else tape.push({ asked: bytes, answer: [] });
  };
  const { _write, _writev, push } = prototype;
  Object.assign(socket, {
    _write(chunk, encoding, told) {
      asked(sizeOf(chunk, encoding));
      _write.call(this, chunk, encoding, told);
    },
    _writev(chunks, told) {
      asked(sizeOfAll(chunks));
      _writev.call(this, chunks, told);
    },
    push(chunk) {
      if (chunk) tape.at(-1)?.answer.push(Buffer.from(chunk));
      return push.call(this, chunk);
    },
  } satisfies Ends);
  return tape;
}

function play(socket: Socket, tape: Tape): void {
  delete (socket as Partial<Ends>).push;
  // What a socket hears it hears outside of every request.
  const outside = new AsyncResource('REPLAY');
  let turn = 0;
  let heard = 0;
  const answer = (): void => {
    const chunks = tape[turn]!.answer;
    turn = (turn + 1) % tape.length;
    for (const chunk of chunks) socket.push(chunk);
  };
  const hear = (bytes: number, told: Told): void => {
    told();
    heard += bytes;
    if (heard < tape[turn]!.asked) return;
    heard = 0;
    setImmediate(() => outside.runInAsyncScope(answer));
  };
  Object.assign(socket, {
    _write: (chunk, encoding, told) => hear(sizeOf(chunk, encoding), told),
    _writev: (chunks, told) => hear(sizeOfAll(chunks), told),
  } satisfies Partial<Ends>);
}

function sizeOf(chunk: Chunk['chunk'], encoding: BufferEncoding): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.byteLength;
}

function sizeOfAll(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { chunk, encoding }) => sum + sizeOf(chunk, encoding), 0);
}
