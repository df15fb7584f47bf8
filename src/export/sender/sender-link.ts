import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { pathToFileURL } from 'node:url';
import {
  MessageChannel,
  receiveMessageOnPort,
  MessagePort,
  Worker,
  type WorkerOptions,
} from 'node:worker_threads';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { environment } from '../../base/environment.ts';
import { messageOf } from '../../base/errors.ts';
import { say, type LogLevel } from '../../base/log.ts';
import { noteSetup } from '../../base/setup-notes.ts';
import { startUnseen } from '../../base/unseen-thread.ts';
import { suppressed } from '../../carry/suppression.ts';
import { Counters } from './counters.ts';
import { SenderService, type SenderSetup, type ToSender } from './sender-service.ts';
import type { DrainLimits, SenderOptions } from './sender-options.ts';
import type { ExportState, Speak } from './delivery-log.ts';

/** The application's end of the connection to the sender, on whichever thread it runs. */
export interface SenderLink {
  readonly counters: Counters;
  /** Whether the sender keeps working while this thread is blocked. */
  readonly hasThread: boolean;
  /** False once the sender has stopped for good; the spans it held have to be accounted for. */
  readonly isAlive: boolean;
  post(message: ToSender): void;
  /** Resolves when everything is sent, or the limits are reached. */
  drain(limits: DrainLimits): Promise<void>;
  /** The same, blocking; false if that is impossible or took too long. */
  drainSync(limits: DrainLimits): boolean;
  close(): Promise<void>;
  /** A separate port to the sender, for the delivery of another thread. */
  share?(): MessagePort;
}

const UNTRACED = suppressed(ROOT_CONTEXT);

type FromSender =
  | {
      type: 'say';
      level: Exclude<LogLevel, 'none'>;
      message: string;
      state?: ExportState | undefined;
    }
  | { type: 'answer'; id: number };

/** Beyond the sender's own limit: it gives up first, unless its thread is stuck or starved. */
const GRACE_MILLIS = 1000;

const THREAD = new URL('./sender-thread.js', import.meta.url);

/** Whether the thread's file exists: it does not if the application is bundled into one file. */
export function hasThreadFile(): boolean {
  return existsSync(THREAD);
}

/** Node's own methods, before they are replaced for the application's threads. */
const NodeWorker = Worker;
// oxlint-disable-next-line typescript/unbound-method -- called by Reflect.apply, with its port.
const { postMessage } = MessagePort.prototype;

/** Sends through the sender of another thread, to which `port` is connected. */
export function startShared(
  port: MessagePort,
  options: SenderOptions,
  ownFolder: string | undefined,
): SenderLink {
  return new SharedLink(port, options, ownFolder);
}

/** Starts the sender in a separate thread. */
export function startThread(options: SenderOptions, ownFolder: string | undefined): SenderLink {
  return new ThreadLink(options, ownFolder);
}

/** Runs the sender on this thread. */
export function startInline(options: SenderOptions, ownFolder: string | undefined): SenderLink {
  return new InlineLink(options, ownFolder);
}

/**
 * The flags that a thread needs to load this package: those of Yarn's Plug'n'Play loader, if it
 * serves the package from an archive.
 */
function packageLoader(): string[] {
  if (process.versions['pnp'] === undefined) return [];
  const pnp = createRequire(import.meta.url).resolve('pnpapi');
  const loader = join(dirname(pnp), '.pnp.loader.mjs');
  const flags = ['--require', pnp];
  if (existsSync(loader)) flags.push('--experimental-loader', pathToFileURL(loader).href);
  return flags;
}

/** A connection to a sender in another thread. */
class PortLink implements SenderLink {
  readonly hasThread = true;
  readonly counters: Counters = new Counters();
  isAlive = true;
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: FromSender) => this.#receive(message));
    port.unref();
  }

  post(message: ToSender): void {
    if (!this.isAlive) return;
    this.#send(message, message.type === 'chunk' ? [message.bytes] : []);
  }

  share(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#send({ type: 'adopt', port: port2 }, [port2]);
    return port1;
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
  }

  /** To be called when the other end no longer exists. */
  protected die(): boolean {
    if (!this.isAlive) return false;
    this.isAlive = false;
    for (const resolve of this.#waiting.values()) resolve();
    this.#waiting.clear();
    this.#port.close();
    return true;
  }

  #send(message: ToSender, transfer: (ArrayBuffer | MessagePort)[]): void {
    Reflect.apply(postMessage, this.#port, [message, transfer]);
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
    if (message.type === 'say') {
      return heard(this.counters, message.level, message.message, message.state);
    }
    this.#waiting.get(message.id)?.();
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#port.unref();
  }
}

/** A connection to a separate thread. */
class ThreadLink extends PortLink {
  readonly #worker: Worker;

  constructor(options: SenderOptions, ownFolder: string | undefined) {
    const { port1, port2 } = new MessageChannel();
    super(port1);
    const setup: SenderSetup = { options, memory: this.counters.memory, ownFolder };
    const worker: WorkerOptions = {
      name: 'clew-sender',
      workerData: { setup, port: port2 },
      transferList: [port2],
      // Preloads and flags belong to the application: in this thread they would trace the sender,
      // or never return.
      execArgv: packageLoader(),
      env: { ...environment(), NODE_OPTIONS: '' },
      // It prints nothing; Node would pipe its output to that of the process.
      stdout: true,
      stderr: true,
    };
    this.#worker = startUnseen(() => new NodeWorker(THREAD, worker));
    this.#worker.on('error', (error: unknown) => this.#died(messageOf(error)));
    this.#worker.on('exit', () => this.#died('it ended'));
    this.#worker.unref();
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#worker.terminate();
  }

  #died(reason: string): void {
    if (!this.die()) return;
    say('error', `The thread that sends spans died (${reason}); a new one will be started.`);
  }
}

/** A connection to the sender of another thread, which outlives this thread. */
class SharedLink extends PortLink {
  constructor(port: MessagePort, options: SenderOptions, ownFolder: string | undefined) {
    super(port);
    port.on('close', () => this.die());
    port.unref();
    this.post({ type: 'setup', setup: { options, memory: this.counters.memory, ownFolder } });
  }
}

class InlineLink implements SenderLink {
  readonly hasThread = false;
  readonly counters: Counters = new Counters();
  isAlive = true;
  readonly #core: SenderService;

  constructor(options: SenderOptions, ownFolder: string | undefined) {
    const setup: SenderSetup = { options, memory: this.counters.memory, ownFolder };
    const speak: Speak = (...said) => heard(this.counters, ...said);
    this.#core = new SenderService(setup, speak, (send) => context.with(UNTRACED, send));
  }

  post(message: ToSender): void {
    this.#core.receive(message, () => undefined);
  }

  drain(limits: DrainLimits): Promise<void> {
    // The sender's sockets and timers do not keep the process alive; a pending drain does.
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

/** `clew run` names here the collector of which it reports at the start whether it answers. */
const REPORTED = 'CLEW_COLLECTOR_REPORTED';
/** The folder of `clew run`, where this file means that it has reported that collector as silent. */
const RUN_FOLDER = 'CLEW_RUN_REPORT';
const SILENT_FILE = 'collector-is-silent';
let isFirst = true;

/** Whether this is the start of an outage that `clew run` has reported already. */
function isReported(counters: Counters, state: ExportState | undefined): boolean {
  if (!isFirst || state === undefined) return false;
  isFirst = false;
  const { target, failure } = state;
  const { [REPORTED]: reported, [RUN_FOLDER]: folder } = environment();
  if (!failure || reported !== target || counters.read().accepted > 0) return false;
  // A collector may answer when it is asked whether it is there, and be silent when it gets spans.
  const isSilent = failure.isSilent === true && folder !== undefined;
  return failure.isAbsent || (isSilent && existsSync(join(folder, SILENT_FILE)));
}

/** Passes on the sender's messages: to the log, and to the doctor. */
function heard(counters: Counters, ...[level, message, state]: Parameters<Speak>): void {
  if (!isReported(counters, state)) say(level, message);
  if (!state) return;
  const { target, failure } = state;
  const count = counters.read().failures;
  noteSetup({ kind: 'export', target, ...(failure && { failure: { ...failure, count } }) });
}
