import { executionAsyncId } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { GuardedHook } from './guarded-hook.ts';

/*
 * Connections that a server accepts are created by Node itself, in execution 0: no code of the
 * application is running, so there is no execution whose context they could take. Their trigger,
 * the server's handle, shows where they belong.
 */

/** Whether `type` is that of a server's handle, which is the trigger of what it accepts. */
export function isServerType(type: string): boolean {
  // Compared and not looked up: this runs for each async resource that is not a promise.
  return type === 'TCPSERVERWRAP' || type === 'PIPESERVERWRAP';
}

/** Whether an async resource of this type, created now, may be a connection that was accepted. */
export function isAccepted(type: string): boolean {
  return (type === 'TCPWRAP' || type === 'PIPEWRAP') && executionAsyncId() === 0;
}

export interface AdoptionOptions<Value> {
  /** The value of the running code. */
  get: () => Value | undefined;
  /** Gives `value` to the callback that begins. */
  enter: (value: Value) => void;
}

/**
 * Runs the callbacks of accepted connections with the value that the server was given when it
 * began to listen, for stores that cannot write on the handle.
 *
 * The hook is off, and costs nothing, until a server listens with a value, and again once no such
 * server nor connection is left. It sees handles only. `#servers` and `#accepted` have the values
 * by async id; `destroy` deletes them.
 */
export class AcceptedHandles<Value> {
  readonly #get: () => Value | undefined;
  readonly #servers = new Map<number, Value>();
  readonly #accepted = new Map<number, Value>();
  readonly #hook: GuardedHook;
  /**
   * Servers that are about to listen with a value, until Node reports that they listen or failed
   * to.
   */
  readonly #expected = new Set<unknown>();

  constructor(options: AdoptionOptions<Value>) {
    this.#get = options.get;
    this.#hook = new GuardedHook({
      name: 'accepted-handles',
      trackPromises: false,
      callbacks: {
        init: (asyncId, type, triggerAsyncId) => {
          if (isServerType(type)) {
            const value = this.#get();
            if (value === undefined) return;
            this.#servers.set(asyncId, value);
          } else if (isAccepted(type)) {
            const value = this.#servers.get(triggerAsyncId);
            if (value !== undefined) this.#accepted.set(asyncId, value);
          }
        },
        before: (asyncId) => {
          const value = this.#accepted.get(asyncId);
          if (value !== undefined) options.enter(value);
        },
        destroy: (asyncId) => {
          if (this.#servers.delete(asyncId) || this.#accepted.delete(asyncId)) this.#rest();
        },
      },
    });
  }

  start(): void {
    subscribe('tracing:net.server.listen:asyncStart', this.#onListen);
    subscribe('tracing:net.server.listen:asyncEnd', this.#onListening);
    subscribe('tracing:net.server.listen:error', this.#onListening);
  }

  stop(): void {
    unsubscribe('tracing:net.server.listen:asyncStart', this.#onListen);
    unsubscribe('tracing:net.server.listen:asyncEnd', this.#onListening);
    unsubscribe('tracing:net.server.listen:error', this.#onListening);
    this.#hook.disable();
    this.#expected.clear();
    this.#servers.clear();
    this.#accepted.clear();
  }

  readonly #onListen = (message: unknown): void => {
    if (this.#get() === undefined) return;
    this.#expected.add((message as { server: unknown }).server);
    this.#hook.enable();
  };

  readonly #onListening = (message: unknown): void => {
    if (this.#expected.delete((message as { server: unknown }).server)) this.#rest();
  };

  #rest(): void {
    if (this.#expected.size + this.#servers.size + this.#accepted.size === 0) this.#hook.disable();
  }
}
