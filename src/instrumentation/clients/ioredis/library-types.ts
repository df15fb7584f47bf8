import type { EventEmitter } from 'node:events';

/* The parts of ioredis and its fork iovalkey that are used, in all supported versions. */

/** A command, made by the client for every call. */
export interface RedisCommand {
  /** As sent over the wire, which is as the application wrote it. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** Its index in a pipeline; commands outside of one have none. */
  readonly pipelineIndex?: number;
  /** What a cluster adds to a pipeline by itself. */
  readonly ignore?: boolean;
  resolve(this: void, reply: unknown): unknown;
  reject(this: void, error: unknown): unknown;
  transformReply(reply: unknown): unknown;
}

/** A connection to one server, or a cluster of them. */
export interface RedisConnection extends EventEmitter {
  readonly isCluster?: boolean;
  readonly status: string;
  readonly options: {
    host?: string;
    port?: number;
    path?: string | null;
    db?: number;
    sentinels?: unknown;
  };
  readonly condition?: { select?: number } | null;
  readonly stream?: { remoteAddress?: string; remotePort?: number } | null;
  /** The pipelines that auto-pipelining has open. */
  readonly _autoPipelines?: ReadonlyMap<string, RedisPipeline>;
  readonly scriptsSet?: Readonly<Record<string, RedisScript>>;
  call(...args: unknown[]): unknown;
  callBuffer(...args: unknown[]): unknown;
  send_command(...args: unknown[]): unknown;
  connect(callback?: unknown): unknown;
  disconnect(...args: unknown[]): unknown;
  quit(...args: unknown[]): unknown;
  /** Emits the status in the next tick. */
  setStatus(status: string, ...rest: unknown[]): unknown;
  sendCommand(command: RedisCommand, ...rest: unknown[]): unknown;
  defineCommand(name: string, definition: unknown): unknown;
  /** For clusters: requests the slots of the servers. */
  refreshSlotsCache(callback?: unknown): unknown;
  /** For clusters: calls back once the slots are known. */
  delayUntilReady(callback: (error: unknown) => void): void;
}

export interface RedisPipeline {
  readonly redis: RedisConnection;
  readonly _queue: readonly RedisCommand[];
  /** The number of open transactions in it. */
  readonly _transactions: number;
  resolve(this: void, results: [error: unknown, result?: unknown][]): void;
  reject(this: void, error: unknown): void;
  exec(...args: unknown[]): unknown;
  sendCommand(command: RedisCommand): unknown;
}

/** A command that the application defined by a script. */
export interface RedisScript {
  /** The class of its commands. */
  readonly Command: object;
  /** The command that is sent in its place, and the script itself. */
  readonly sha: string;
  readonly lua: string;
  execute(
    container: RedisConnection | RedisPipeline,
    args: unknown[],
    options: unknown,
    callback?: unknown,
  ): unknown;
}

export interface ClassOf<Instance> {
  prototype: Instance;
}
