import { Socket as DatagramSocket } from 'node:dgram';
import { WriteStream } from 'node:fs';
import { Interface } from 'node:readline';
import { Duplex, Writable } from 'node:stream';
import { Gzip } from 'node:zlib';

import { onHttp2Served } from '../async/served-modules.ts';
import { http } from '../base/node-http.ts';
import { patchHotMethod, undoAll, type Undo } from '../base/patch.ts';
import type { AnyFunction } from './listeners.ts';

/*
 * The methods of Node that queue data to be written, replaced once for all who take part in writes.
 *
 * `participants` has those who do; `onWrites` adds them and its undo deletes them. The methods of
 * streams are replaced while there is one, the others while one of them binds callbacks.
 */

/** Called with each write before Node handles it. */
export interface WriteParticipant {
  /** Returns what to pass in the place of a callback, or the callback itself. */
  bindCallback?(callback: AnyFunction): AnyFunction;
  /**
   * Returns the callback for a chunk that `stream` buffers, and will write in the turn of the code
   * that makes room for it; `callback` is undefined where none was given.
   */
  bindBuffered?(stream: object, callback: AnyFunction | undefined): AnyFunction | undefined;
}

type Methods = Record<string, AnyFunction>;

/** The position of the first argument that may be a callback, per method. */
type Positions = Readonly<Record<string, number>>;

/** A chunk may be a function, too; `Duplex` has copies of what it has of `Writable`. */
const STREAMS: readonly object[] = [Writable.prototype, Duplex.prototype];

const OTHERS: readonly [object, Positions][] = [
  [WriteStream.prototype, { close: 0 }],
  [http.OutgoingMessage.prototype, { write: 1, end: 0 }],
  [http.ServerResponse.prototype, { writeContinue: 0, writeProcessing: 0, writeEarlyHints: 1 }],
  [DatagramSocket.prototype, { send: 1 }],
  [Interface.prototype, { question: 1 }],
  // The classes that those of zlib extend are not exported.
  ...classesAbove(Gzip, Duplex).map((above): [object, Positions] => [
    above,
    { flush: 0, params: 2, close: 0 },
  ]),
];

let participants: readonly WriteParticipant[] = [];
let undoStreams: Undo | undefined;
let undoOthers: Undo | undefined;

/** Has `participant` take part in every write from now on. Returns the undo. */
export function onWrites(participant: WriteParticipant): Undo {
  participants = [...participants, participant];
  replaceAsNeeded();
  return () => {
    participants = participants.filter((each) => each !== participant);
    replaceAsNeeded();
  };
}

function replaceAsNeeded(): void {
  if (participants.length === 0) {
    undoStreams?.();
    undoStreams = undefined;
  } else {
    undoStreams ??= replaceStreams();
  }
  if (participants.every((each) => each.bindCallback === undefined)) {
    undoOthers?.();
    undoOthers = undefined;
  } else {
    undoOthers ??= replaceOthers();
  }
}

function replaceStreams(): Undo {
  return undoAll(
    STREAMS.flatMap((prototype) => {
      const target = prototype as Methods;
      const write = writing(target['write'] as AnyFunction);
      return [
        patchHotMethod(target, 'write', () => write),
        patchHotMethod(target, 'end', (original) => ending(original, write)),
      ];
    }),
  );
}

function replaceOthers(): Undo {
  const undos = OTHERS.flatMap(([target, positions]) =>
    Object.entries(positions)
      .filter(([method]) => Object.hasOwn(target, method))
      .map(([method, first]) => replaceCallingBack(target, method, first)),
  );
  // Its `write` is that of a `Duplex`.
  const stopWaiting = onHttp2Served(({ Http2ServerResponse: { prototype } }) =>
    undos.push(replaceCallingBack(prototype, 'end', 0)),
  );
  return () => {
    stopWaiting();
    undoAll(undos)();
  };
}

function replaceCallingBack(target: object, method: string, first: number): Undo | undefined {
  return patchHotMethod(target as Methods, method, (original) => callingBack(original, first));
}

/** A method whose last argument may be a callback, at the position `first` or later. */
function callingBack(original: AnyFunction, first: number): AnyFunction {
  return function (this: unknown): unknown {
    // No rest parameter: every write of the process comes this way, and few have a callback.
    // oxlint-disable-next-line prefer-rest-params
    const given = arguments;
    const last = given.length - 1;
    const callback: unknown = last < first ? undefined : given[last];
    if (typeof callback !== 'function') return Reflect.apply(original, this, given);
    const bound = bindCallback(callback as AnyFunction);
    if (bound === callback) return Reflect.apply(original, this, given);
    const args: unknown[] = Array.from(given);
    args[last] = bound;
    return Reflect.apply(original, this, args);
  };
}

/** `write(chunk, encoding?, callback?)` of a stream. */
function writing(original: AnyFunction): AnyFunction {
  return function (this: Stream, chunk: unknown, second: unknown, third: unknown): unknown {
    const given = typeof second === 'function' ? second : third;
    const callback = typeof given === 'function' ? (given as AnyFunction) : undefined;
    let bound = callback === undefined ? undefined : bindCallback(callback);
    if (isBuffering(this) && (callback !== undefined || given === undefined || given === null)) {
      bound = bindBuffered(this, bound);
    }
    // oxlint-disable-next-line prefer-rest-params
    if (bound === callback) return Reflect.apply(original, this, arguments);
    return original.call(this, chunk, given === second ? undefined : second, bound);
  };
}

/** `end(chunk?, encoding?, callback?)` of a stream, for a chunk that is to be buffered by `write`. */
function ending(original: AnyFunction, write: AnyFunction): AnyFunction {
  const end = callingBack(original, 0);
  return function (this: Stream, chunk: unknown, second: unknown, third: unknown): unknown {
    const isChunk = chunk !== undefined && chunk !== null && typeof chunk !== 'function';
    // oxlint-disable-next-line prefer-rest-params
    if (!isChunk || !isBuffering(this)) return Reflect.apply(end, this, arguments);
    // Node writes the last chunk in the same way, but out of sight, and without a callback.
    const isShort = typeof second === 'function';
    write.call(this, chunk, isShort ? undefined : second);
    return end.call(this, isShort ? second : third);
  };
}

function bindCallback(callback: AnyFunction): AnyFunction {
  let bound = callback;
  for (const participant of participants) bound = participant.bindCallback?.(bound) ?? bound;
  return bound;
}

function bindBuffered(stream: object, callback: AnyFunction | undefined): AnyFunction | undefined {
  let bound = callback;
  for (const participant of participants) {
    bound = participant.bindBuffered?.(stream, bound) ?? bound;
  }
  return bound;
}

interface Stream {
  _writableState?: {
    writing?: boolean;
    corked?: number;
    constructed?: boolean;
    ending?: boolean;
    destroyed?: boolean;
    errored?: unknown;
  };
}

/** Whether the stream keeps the next chunk for later. */
function isBuffering({ _writableState: state }: Stream): boolean {
  if (state === undefined) return false;
  if (state.writing !== true && !state.corked && state.constructed !== false) return false;
  return state.ending !== true && state.destroyed !== true && !state.errored;
}

/** The prototypes between that of `derived` and that of `base`. */
function classesAbove(derived: { prototype: object }, base: { prototype: object }): object[] {
  const found: object[] = [];
  for (
    let above: unknown = Object.getPrototypeOf(derived.prototype);
    typeof above === 'object' && above !== null && above !== base.prototype;
    above = Object.getPrototypeOf(above)
  ) {
    found.push(above);
  }
  return found;
}
