import type { EventEmitter } from 'node:events';

/* What is used of node-redis, as far as all supported versions have it. */

/** Of a client the application sees objects that inherit from it, with options of their own. */
export interface RedisClient extends EventEmitter {
  readonly _self?: RedisClient;
  readonly options?: {
    socket?: { host?: string; port?: number; path?: string };
    database?: number;
  };
  connect(...args: unknown[]): unknown;
  sendCommand(args: readonly unknown[], ...rest: unknown[]): unknown;
  _executeScript(...args: unknown[]): unknown;
  _executeMulti(commands: readonly QueuedCommand[], ...rest: unknown[]): unknown;
  _executePipeline(commands: readonly QueuedCommand[], ...rest: unknown[]): unknown;
  getPubSubListeners?(type: string): Iterable<[string, ChannelListeners]> | undefined;
}

/** A command of a transaction or a pipeline. */
export interface QueuedCommand {
  readonly args: readonly unknown[];
}

export interface ChannelListeners {
  readonly buffers: ReadonlySet<unknown>;
  readonly strings: ReadonlySet<unknown>;
}

export interface RedisPool extends EventEmitter {
  readonly _self?: RedisPool;
  readonly idleClients: number;
  readonly clientsInUse: number;
  readonly tasksQueueLength: number;
  execute(task: (client: RedisClient) => unknown): unknown;
}

/** A cluster or a sentinel: it chooses a client for what it is given, and again if need be. */
export interface Router extends EventEmitter {
  _execute(...args: unknown[]): unknown;
  _executeWithPolicies(...args: unknown[]): unknown;
}

export type Method = (this: unknown, ...args: unknown[]) => unknown;

export interface ClassOf<Instance> {
  prototype: Instance;
}
