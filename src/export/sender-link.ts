import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
} from 'node:worker_threads';

import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

import { messageOf } from '../base/errors.ts';
import { say, type LogLevel } from '../base/log.ts';
import { Counters } from './counters.ts';
import { SenderCore, type SenderSetup, type ToSender } from './sender-core.ts';
import type { DrainLimits, SenderOptions } from './sender-options.ts';

/** The application's end of the line to the sender, wherever that runs. */
export interface SenderLink {
  readonly counters: Counters;
  /** Whether the sender works on while this thread is blocked. */
  readonly hasThread: boolean;
  /** False once the sender is gone for good; what it held has to be accounted for. */
  readonly isAlive: boolean;
  post(message: ToSender): void;
  /** Resolves when everything is sent, or the limits are reached. */
  drain(limits: DrainLimits): Promise<void>;
  /** The same, blocking; false where that is impossible or took too long. */
  drainSync(limits: DrainLimits): boolean;
  close(): Promise<void>;
}

/** The SDK's own key for it is known by its description. */
const UNTRACED = ROOT_CONTEXT.setValue(
  createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'),
  true,
);

type FromSender =
  | { type: 'say'; level: Exclude<LogLevel, 'none'>; message: string }
  | { type: 'answer'; id: number };

/** Beyond the sender's own limit: it gives up first, unless its thread is stuck or starved. */
const GRACE_MILLIS = 1000;

const THREAD = new URL('./sender-thread.js', import.meta.url);

/** Whether the thread's file is there: beside an application in one bundled file it is not. */
export function hasThreadFile(): boolean {
  return existsSync(THREAD);
}

/** Starts the sender in a thread of its own. */
export function startThread(options: SenderOptions, ownFolder: string | undefined): SenderLink {
  return new ThreadLink(options, ownFolder);
}

/** Runs the sender on this thread. */
export function startInline(options: SenderOptions, ownFolder: string | undefined): SenderLink {
  return new InlineLink(options, ownFolder);
}

/**
 * The flags without which a thread cannot load this package: where Yarn's Plug'n'Play serves it
 * out of an archive, those of its loader.
 */
function packageLoader(): string[] {
  if (process.versions['pnp'] === undefined) return [];
  const pnp = createRequire(import.meta.url).resolve('pnpapi');
  const loader = join(dirname(pnp), '.pnp.loader.mjs');
  const flags = ['--require', pnp];
  if (existsSync(loader)) flags.push('--experimental-loader', pathToFileURL(loader).href);
  return flags;
}

class ThreadLink implements SenderLink {
  readonly hasThread = true;
  readonly counters: Counters = new Counters();
  isAlive = true;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  constructor(options: SenderOptions, ownFolder: string | undefined) {
    const { port1, port2 } = new MessageChannel();
    const setup: SenderSetup = { options, memory: this.counters.memory, ownFolder };
    this.#port = port1;
    this.#worker = new Worker(THREAD, {
      name: 'clew-sender',
      workerData: { setup, port: port2 },
      transferList: [port2],
      // Preloads and flags are the application's: in here they would trace us, or never return.
      execArgv: packageLoader(),
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#port.on('message', (message: FromSender) => this.#receive(message));
    this.#worker.on('error', (error: unknown) => this.#die(messageOf(error)));
    this.#worker.on('exit', () => this.#die('it ended'));
    this.#worker.unref();
    this.#port.unref();
  }

  post(message: ToSender): void {
    if (!this.isAlive) return;
    this.#port.postMessage(message, message.type === 'chunk' ? [message.bytes] : []);
  }

  drain(limits: DrainLimits): Promise<void> {
    return this.#ask((id) => ({ type: 'drain', id, limits }));
  }

  drainSync(limits: DrainLimits): boolean {
    if (!this.isAlive) return false;
    const id = ++this.#lastId;
    this.post({ type: 'drain', id, limits });
    const answered = this.counters.waitForAnswer(id, limits.totalMillis + GRACE_MILLIS);
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (!received) return answered;
      this.#receive(received.message as FromSender);
    }
  }

  async close(): Promise<void> {
    await this.#ask((id) => ({ type: 'close', id }));
    this.isAlive = false;
    this.#port.close();
    await this.#worker.terminate();
  }

  #ask(message: (id: number) => ToSender): Promise<void> {
    if (!this.isAlive) return Promise.resolve();
    const id = ++this.#lastId;
    this.#port.ref();
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.post(message(id));
    });
  }

  #receive(message: FromSender): void {
    if (message.type === 'say') return say(message.level, message.message);
    this.#waiting.get(message.id)?.();
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#port.unref();
  }

  #die(reason: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    say('error', `The thread that sends spans died (${reason}); another one will be started.`);
    for (const resolve of this.#waiting.values()) resolve();
    this.#waiting.clear();
    this.#port.close();
  }
}

class InlineLink implements SenderLink {
  readonly hasThread = false;
  readonly counters: Counters = new Counters();
  isAlive = true;
  readonly #core: SenderCore;

  constructor(options: SenderOptions, ownFolder: string | undefined) {
    const setup: SenderSetup = { options, memory: this.counters.memory, ownFolder };
    this.#core = new SenderCore(setup, say, (send) => context.with(UNTRACED, send));
  }

  post(message: ToSender): void {
    this.#core.receive(message, () => undefined);
  }

  drain(limits: DrainLimits): Promise<void> {
    // Sockets and timers of the sender do not hold the process; somebody awaiting a drain does.
    const hold = setInterval(() => undefined, 1000);
    return new Promise<void>((resolve) => {
      this.#core.receive({ type: 'drain', id: 0, limits }, () => resolve());
    }).finally(() => clearInterval(hold));
  }

  drainSync(): boolean {
    return false;
  }

  close(): Promise<void> {
    this.isAlive = false;
    this.post({ type: 'close', id: 0 });
    return Promise.resolve();
  }
}
