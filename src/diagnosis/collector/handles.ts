import { executionAsyncId, executionAsyncResource } from 'node:async_hooks';
import { setImmediate } from 'node:timers';

import { isHiddenFromRecords } from '../../async/collecting.ts';
import { GuardedHook } from '../../async/guarded-hook.ts';
import type { HandleRecord } from '../record.ts';
import { Budget } from './budget.ts';
import { captureStack, readFrames } from './stack.ts';
import { Turn, turns, type Handle, type Owner, type Request } from './work.ts';

/** Types whose resources outlive the work that created them. */
const LONG_LIVED = new Set([
  'FSEVENTWRAP',
  'HTTP2SESSION',
  'MESSAGEPORT',
  'PIPESERVERWRAP',
  'PIPEWRAP',
  'PROCESSWRAP',
  'STATWATCHER',
  'TCPSERVERWRAP',
  'TCPWRAP',
  'TLSWRAP',
  'TTYWRAP',
  'UDPWRAP',
  'WORKER',
]);
/** The types of earlier async resources, by their classes. */
const TYPES: Readonly<Record<string, string>> = {
  FSEvent: 'FSEVENTWRAP',
  Http2Session: 'HTTP2SESSION',
  MessagePort: 'MESSAGEPORT',
  Pipe: 'PIPEWRAP',
  Process: 'PROCESSWRAP',
  StatWatcher: 'STATWATCHER',
  TCP: 'TCPWRAP',
  TLSWrap: 'TLSWRAP',
  TTY: 'TTYWRAP',
  Timeout: 'Timeout',
  UDP: 'UDPWRAP',
  Worker: 'WORKER',
};
const STACKS_PER_SECOND = 200;
/** The number of timers, each started by the one before, that count as a loop. */
const LOOP = 2;

export interface HandleOptions {
  /** Whose context is active. */
  owner(): Owner | undefined;
  /** Keep the creation stack of every timer. */
  deep: boolean;
  /** Async resources already exist. */
  isLate: boolean;
  /** Called once, in the tick after a server was created. */
  onServing?: (() => void) | undefined;
}

/**
 * Observes the creation of long-lived async resources and timers, and begins a turn for each of
 * their callbacks. Its record is held by the async resource itself and collected with it.
 */
export class Handles {
  readonly #hook: GuardedHook;
  readonly #options: HandleOptions;
  readonly #handles = new WeakMap<object, Handle>();
  readonly #budget = new Budget(STACKS_PER_SECOND);
  #isServing = false;

  constructor(options: HandleOptions) {
    this.#options = options;
    const init = (asyncId: number, type: string, _trigger: number, resource: object): void => {
      if (type === 'Timeout' || LONG_LIVED.has(type)) {
        this.#handles.set(resource, this.#handleOf(asyncId, type, resource, init));
        if (type === 'TCPSERVERWRAP') this.#serves();
      }
    };
    this.#hook = new GuardedHook({
      name: 'doctor',
      trackPromises: false,
      callbacks: {
        init,
        before: () => {
          const resource = executionAsyncResource();
          const handle =
            this.#handles.get(resource) ?? (options.isLate ? this.#older(resource) : undefined);
          if (handle) turns.enterWith(new Turn(handle, turns.getStore()?.request));
        },
      },
    });
  }

  start(): void {
    this.#hook.enable();
  }

  stop(): void {
    this.#hook.disable();
  }

  /**
   * Returns the handle of an async resource that existed before; undefined if it is short-lived.
   */
  #older(resource: object): Handle | undefined {
    const type = TYPES[resource.constructor?.name ?? ''];
    if (type === undefined) return undefined;
    const handle: Handle = {
      asyncId: executionAsyncId(),
      type,
      isInterval: type === 'Timeout' && (resource as { _repeat?: unknown })._repeat != null,
      isOlder: true,
      generation: 0,
      captured: undefined,
      bornIn: undefined,
      bornDuring: undefined,
    };
    this.#handles.set(resource, handle);
    return handle;
  }

  #serves(): void {
    const { onServing } = this.#options;
    if (!onServing || this.#isServing) return;
    this.#isServing = true;
    setImmediate(onServing);
  }

  #handleOf(
    asyncId: number,
    type: string,
    resource: object,
    below: (...args: never[]) => void,
  ): Handle {
    const turn = turns.getStore();
    const isTimer = type === 'Timeout';
    const isInterval = isTimer && (resource as { _repeat?: unknown })._repeat != null;
    const generation = isTimer && turn?.handle?.type === 'Timeout' ? turn.handle.generation + 1 : 0;
    const isWanted =
      !isTimer || isInterval || generation > 0 || !turn?.request || this.#options.deep;
    const isCaptured = isWanted && !isHiddenFromRecords(resource) && this.#budget.take();
    return {
      asyncId,
      type,
      isInterval,
      generation,
      captured: isCaptured ? captureStack(below) : undefined,
      bornIn: this.#options.owner() ?? turn?.request,
      bornDuring: turn?.keepable,
    };
  }
}

/** Returns the plain record of a handle. Reads its stack, which is expensive. */
export function handleRecord(handle: Handle | undefined): HandleRecord | undefined {
  if (!handle) return undefined;
  return {
    asyncId: handle.asyncId,
    type: handle.type,
    repeating: handle.isInterval,
    ...(isChained(handle) ? { chained: true } : {}),
    ...(handle.isOlder ? { older: true } : {}),
    stack: framesOf(handle),
    bornIn: handle.bornIn?.ref,
  };
}

/** A timer that fires repeatedly. */
export function repeats(handle: Handle): boolean {
  return handle.isInterval || isChained(handle);
}

const isChained = ({ generation }: Handle): boolean => generation >= LOOP;

/** A connection, a worker or the like; a message of a request is not one. */
export function isLongLived({ type }: Handle): boolean {
  return LONG_LIVED.has(type);
}

/** Whether `handle` was created in the course of this work, directly or indirectly. */
export function isBornIn(handle: Handle, owner: Owner): boolean {
  const { bornIn } = handle;
  return (
    bornIn === owner || (bornIn !== undefined && bornIn === (owner.request as unknown as Request))
  );
}

const read = new WeakMap<Handle, HandleRecord['stack']>();

/** A stack can only be read as frames the first time it is accessed. */
function framesOf(handle: Handle): HandleRecord['stack'] {
  let frames = read.get(handle);
  if (!frames) read.set(handle, (frames = readFrames(handle.captured)));
  return frames;
}
