import { createRequire, syncBuiltinESMExports } from 'node:module';
import {
  getEnvironmentData,
  MessagePort,
  parentPort,
  setEnvironmentData,
  Worker,
} from 'node:worker_threads';

import { context } from '@opentelemetry/api';

import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import { injected, type Carrier } from './carrier.ts';
import type { Destination, MessageContexts } from './message-contexts.ts';
import { isPreloaded } from './preloaded-threads.ts';
import { enveloped, openProcessMessages } from './received-messages.ts';

/*
 * Worker threads are given the context that is active at `new Worker`, in the data that Node copies
 * into each new thread. With it goes a line to the thread that sends spans, and memory in which both sides say that they open envelopes, so
 * that neither sends one to an application.
 */

/** The key of `setEnvironmentData`. It is there while a worker is made, and in a new thread. */
const KEY = 'clew';
const WORKER_THREAD: Destination = { system: 'worker_threads', destination: 'worker' };
const PARENT_OF_THREAD: Destination = { system: 'worker_threads', destination: 'parent' };
const PARENT = 0;
const CHILD = 1;

/** What a new thread is given. */
export interface Given {
  readonly carrier?: Carrier | undefined;
  /** Two bytes: whether the parent, and whether the child, opens envelopes. */
  readonly opens?: Uint8Array | undefined;
  /** A line to the thread that sends spans. */
  readonly sender?: MessagePort | undefined;
}

/** Takes what this thread was given out of its data, so that its own workers do not get it. */
export function takeGiven(): Given {
  const given = getEnvironmentData(KEY) as unknown;
  if (typeof given !== 'object' || given === null) return {};
  setEnvironmentData(KEY, undefined);
  return given;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

/** What each worker that was made here has to do with envelopes. */
const openedBy = new WeakMap<object, Uint8Array>();

/** What worker threads that are made from now on are given. */
export interface WorkerGifts {
  /** Whether they get the context in which they are made. */
  readonly gives: boolean;
  /** What each message carries; undefined for nothing. */
  readonly messages: MessageContexts | undefined;
  /** Makes a line to the thread that sends spans, where there is one. */
  readonly shareSender: () => MessagePort | undefined;
}

/** Gives worker threads that are made from now on what they are to be given; returns the undo. */
export function giveToWorkers(gifts: WorkerGifts): Undo {
  const module = createRequire(import.meta.url)('node:worker_threads') as Record<'Worker', unknown>;
  const undos = [
    patchMethod(module as Record<'Worker', AnyFunction>, 'Worker', (original) => {
      return function (this: unknown, ...args): unknown {
        if (!new.target) return Reflect.apply(original, this, args);
        const make = (given: unknown[]): object =>
          Reflect.construct(original as unknown as Constructor, given, new.target) as object;
        return makeWorker(make, args, gifts);
      };
    }),
    gifts.messages ? sendContexts(gifts.messages) : undefined,
  ];
  syncBuiltinESMExports();
  return undoAll([() => syncBuiltinESMExports(), ...undos]);
}

function makeWorker(
  make: (args: unknown[]) => object,
  args: unknown[],
  gifts: WorkerGifts,
): object {
  const { gives, messages } = gifts;
  const options = args[1] as { transferList?: unknown } | null | undefined;
  const isTransferList = options?.transferList === undefined || Array.isArray(options.transferList);
  const sender = isTransferList && isPreloaded(args[1] as object) ? lineFor(gifts) : undefined;
  const carrier = gives ? injected(context.active()) : undefined;
  const opens = messages ? new Uint8Array(new SharedArrayBuffer(2)) : undefined;
  if (opens) Atomics.store(opens, PARENT, 1);
  if (!sender && !carrier && !opens) return make(args);
  const given: Given = { carrier, opens, sender };
  setEnvironmentData(KEY, given);
  let worker: object | undefined;
  // What Node throws is not caught: it prints the line that threw last.
  try {
    worker = make(sender ? withTransfer(args, sender) : args);
    if (opens) openedBy.set(worker, opens);
    return worker;
  } finally {
    if (!worker) sender?.close();
    setEnvironmentData(KEY, undefined);
  }
}

/** Nothing that fails here may cost the application its worker. */
function lineFor(gifts: WorkerGifts): MessagePort | undefined {
  try {
    return gifts.shareSender();
  } catch (error) {
    const message = `worker threads send their spans by themselves: ${messageOf(error)}`;
    sayOnce('warn', 'share-sender', message);
    return undefined;
  }
}

/** The arguments of `new Worker` with one more thing that goes over. */
function withTransfer(args: unknown[], port: MessagePort): unknown[] {
  const [file, options, ...rest] = args as [unknown, { transferList?: unknown[] }?, ...unknown[]];
  const transferList = [...(options?.transferList ?? []), port];
  return [file, { ...options, transferList }, ...rest];
}

/**
 * Calls `before` before each message of this thread. Whoever gets it may take the thread for done, and
 * end it or leave it blocked.
 */
export function beforeMessages(before: () => void): Undo | undefined {
  const prototype = MessagePort.prototype as unknown as Record<'postMessage', AnyFunction>;
  return patchMethod(prototype, 'postMessage', (original) => {
    return function (this: unknown, ...args): unknown {
      before();
      return Reflect.apply(original, this, args);
    };
  });
}

/** Messages to workers carry contexts; those from them are opened, also after the undo. */
function sendContexts(contexts: MessageContexts): Undo | undefined {
  const prototype = Worker.prototype as unknown as Record<'postMessage' | 'emit', AnyFunction>;
  if (reservePatch(prototype, 'envelopes')) {
    openProcessMessages(prototype, { at: PARENT_OF_THREAD, contexts }, () => undefined);
  }
  return patchMethod(prototype, 'postMessage', (original) => {
    return function (this: unknown, ...args): unknown {
      const opens = openedBy.get(this as object);
      if (!isOpening(args, opens, CHILD)) return Reflect.apply(original, this, args);
      return contexts.sending(WORKER_THREAD, (carrier) =>
        Reflect.apply(original, this, withContext(args, carrier)),
      );
    };
  });
}

/** Has the messages of this thread to its parent carry contexts, where that opens envelopes. */
export function sendContextsToParent(
  { opens }: Given,
  contexts: MessageContexts,
): Undo | undefined {
  if (parentPort === null || !isMemory(opens)) return undefined;
  return patchMethod(
    parentPort as unknown as Record<'postMessage', AnyFunction>,
    'postMessage',
    (original) => {
      return function (this: unknown, ...args): unknown {
        if (!isOpening(args, opens, PARENT)) return Reflect.apply(original, this, args);
        return contexts.sending(PARENT_OF_THREAD, (carrier) =>
          Reflect.apply(original, this, withContext(args, carrier)),
        );
      };
    },
  );
}

/** Tells the parent that this thread opens envelopes from now on; returns whether it was asked. */
export function announceOpening({ opens }: Given): boolean {
  if (!isMemory(opens)) return false;
  Atomics.store(opens, CHILD, 1);
  return true;
}

const isMemory = (opens: unknown): opens is Uint8Array =>
  opens instanceof Uint8Array && opens.length === 2;

/** Whether the arguments of `postMessage` have a message, and an envelope around it will be opened. */
function isOpening(args: unknown[], opens: Uint8Array | undefined, by: number): boolean {
  return args.length > 0 && opens !== undefined && Atomics.load(opens, by) === 1;
}

/** The arguments of `postMessage`, with the message in an envelope where it carries something. */
function withContext(args: unknown[], carrier: Carrier | undefined): unknown[] {
  return carrier ? [enveloped(args[0], carrier), ...args.slice(1)] : args;
}
