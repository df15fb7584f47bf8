import type { EventEmitter } from 'node:events';

/* The parts of node-redis that are used, in all supported versions. */

/** The application sees objects that inherit from a client, with their own options. */
export interface RedisClient extends EventEmitter {
  readonly _self?: RedisClient;
  readonly options?: {
    socket?: { host?: string; port?: number; path?: string };
    database?: number;
  };
  connect(...args: unknown[]): unknown;
  duplicate(...args: unknown[]): RedisClient;
  sendCommand(args: readonly unknown[], ...rest: unknown[]): unknown;
  _executeScript(...args: unknown[]): unknown;
  _executeMulti(commands: readonly QueuedCommand[], ...rest: unknown[]): unknown;
  _executePipeline(commands: readonly QueuedCommand[], ...rest: unknown[]): unknown;
  getPubSubListeners?(type: string): Iterable<[string, ChannelListeners]> | undefined;
}

/**
 * A client of version 4. The method that sends a command is private, so each method that leads to
 * it is patched.
 */
export interface RedisClient4 extends RedisClient {
  readonly options?: RedisClient['options'] & { legacyMode?: boolean };
  /** In legacy mode: the methods that return promises. */
  readonly v4: Record<string, Method>;
  /** The class of its batches. */
  readonly Multi: ClassOf<Record<string, Method>>;
  SELECT(...args: unknown[]): unknown;
  commandsExecutor(command: CommandForm, args: unknown[]): unknown;
  executeScript(script: ScriptForm, args: unknown[], options: unknown): unknown;
  executeFunction(name: unknown, fn: ScriptForm, args: unknown[], options: unknown): unknown;
  executeIsolated(task: (client: RedisClient4) => unknown): unknown;
  multiExecutor(commands: readonly QueuedCommand[], ...rest: unknown[]): unknown;
}

/** Version 4's definition of a command. */
export interface CommandForm {
  transformArguments(...args: unknown[]): CommandArguments;
  transformReply?: TransformReply;
}

/** A command's arguments, including its name, and the function that transforms its reply. */
export type CommandArguments = readonly unknown[] & { preserve?: unknown };
export type TransformReply = ((reply: unknown, preserve: unknown) => unknown) | undefined;

/** A script or a function that the application defined. */
export interface ScriptForm {
  readonly SHA1?: string;
  readonly NUMBER_OF_KEYS?: number;
  readonly IS_READ_ONLY?: boolean;
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

/** A cluster or a sentinel: it chooses a client for each call, and another one if necessary. */
export interface Router extends EventEmitter {
  multi(): object;
}

export type Method = (this: unknown, ...args: unknown[]) => unknown;

export interface ClassOf<Instance> {
  prototype: Instance;
}

/** Sends a command by the client's own `sendCommand`. */
export type Send = (this: RedisClient4, args: CommandArguments, options?: unknown) => unknown;
