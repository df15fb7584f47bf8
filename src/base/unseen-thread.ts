import type { Readable } from 'node:stream';

import { patchMethod, type Undo } from './patch.ts';

/** `process`, with events of which Node's types know nothing. */
interface Emitter {
  emit: (event: string | symbol, ...args: unknown[]) => boolean;
}

type Listener = (...args: unknown[]) => void;

/**
 * Runs what starts a thread of this package, of which the application's listeners of
 * `process.on('worker')` are told nothing.
 */
export function startUnseen<Started>(start: () => Started): Started {
  let undo: Undo | undefined;
  // Node emits the event in a tick that it queues during the start: between these two.
  process.nextTick(() => {
    if (process.listenerCount('worker') > 0) undo = hideThreads();
  });
  try {
    return start();
  } finally {
    process.nextTick(() => undo?.());
  }
}

function hideThreads(): Undo | undefined {
  return patchMethod(process as Emitter, 'emit', (original) => {
    return function (event, ...args) {
      return event === 'worker' ? false : original.call(this, event, ...args);
    };
  });
}

/**
 * Runs what starts a thread whose output Node pipes to that of the process, and replaces the pipes. A
 * pipe listens for errors of its destination: `console.log` to an output that nobody reads
 * any more, which is ignored otherwise, would end the process.
 */
export function withoutPipes<Started>(start: () => Started): Started {
  const replaces = [process.stdout, process.stderr].map(watchPipes);
  try {
    return start();
  } finally {
    for (const replace of replaces) replace();
  }
}

/** Returns what replaces the pipes to this stream that were made since. */
function watchPipes(output: NodeJS.WriteStream): () => void {
  const before = new Set(output.listeners('close'));
  return () => {
    for (const listener of output.listeners('close')) {
      if (!before.has(listener)) replacePipe(output, listener as Listener);
    }
  };
}

/** A pipe ends when its destination closes, and names its source then. */
function replacePipe(output: NodeJS.WriteStream, onClose: Listener): void {
  let source: Readable | undefined;
  const onUnpipe = (from: Readable): void => void (source = from);
  output.once('unpipe', onUnpipe);
  onClose.call(output);
  output.off('unpipe', onUnpipe);
  source?.on('data', (chunk: Buffer) => output.write(chunk)).resume();
}
