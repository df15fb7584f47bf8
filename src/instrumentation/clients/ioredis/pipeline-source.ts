import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { isReceiving } from '../../redis/message-commands.ts';
import { isSettingUp } from '../../redis/setup.ts';
import { CommandOperation } from './command-operation.ts';
import { carryContext, isLinked, isWanted, link } from './command-source.ts';
import { describe, describePipeline, errorIn, isMulti } from './attributes.ts';
import type { ClassOf, RedisPipeline } from './library-types.ts';

/*
 * Pipelines. One that the application executes is one operation, from `exec` to the last reply. One
 * that auto-pipelining made is none: its commands are, each in its own caller's context and from
 * its own call. `automatic` holds those of the latter kind with the operations of their commands,
 * in their order; `executed` those of the former. Entries are collected with their pipeline.
 */
const automatic = new WeakMap<RedisPipeline, CommandOperation[]>();
const executed = new WeakSet<RedisPipeline>();

export function patchPipeline(
  { prototype }: ClassOf<RedisPipeline>,
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'ioredis pipeline');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'sendCommand', (original) => {
      return function sendCommand(command) {
        const result = original.call(this, command);
        if (!isAutomatic(this) || command.ignore || isLinked(command)) return result;
        const { name } = command;
        const operation = isWanted(recorder, name) ? new CommandOperation() : undefined;
        if (operation) {
          link(command, operation);
          // A read is recorded if its reply has links, which is known at its end.
          if (recorder.isListening || isReceiving(name))
            operation.record(recorder, describe(this.redis, command));
          if (this.redis.status === 'ready' && !this.redis.isCluster) operation.located();
          operationsOf(this).push(operation);
        }
        carryContext(command, operation, recorder);
        return result;
      };
    }),
    patchMethod(prototype, 'exec', (original) => {
      return function exec(...args) {
        // While a transaction is open, this call only queues its end.
        const isExecuted = this._transactions === 0 && this._queue.length > 0;
        const operation = isExecuted ? execute(this, recorder) : undefined;
        try {
          return original.apply(this, args);
        } catch (error) {
          operation?.settle(error);
          operation?.end();
          throw error;
        }
      };
    }),
  ]);
}

function isAutomatic(pipeline: RedisPipeline): boolean {
  if (automatic.has(pipeline)) return true;
  const { _autoPipelines } = pipeline.redis;
  if (!_autoPipelines || _autoPipelines.size === 0) return false;
  for (const open of _autoPipelines.values()) if (open === pipeline) return true;
  return false;
}

/** The operations of a pipeline made by auto-pipelining, which get their results together. */
function operationsOf(pipeline: RedisPipeline): CommandOperation[] {
  const known = automatic.get(pipeline);
  if (known) return known;
  const operations: CommandOperation[] = [];
  automatic.set(pipeline, operations);
  observe(
    pipeline,
    (results) => {
      for (const [index, operation] of operations.entries()) {
        const [error, result] = results[index] ?? [];
        operation.settle(error ?? undefined, result);
        operation.end();
      }
    },
    (error) => {
      for (const operation of operations) {
        operation.settle(error);
        operation.end();
      }
    },
  );
  return operations;
}

function execute(pipeline: RedisPipeline, recorder: Recorder): CommandOperation | undefined {
  // A cluster that was not ready, or that was redirected, executes it again.
  if (executed.has(pipeline) || isAutomatic(pipeline)) return undefined;
  executed.add(pipeline);
  const operation = recorder.isListening && !isSettingUp() ? start(pipeline, recorder) : undefined;
  if (recorder.config.streamContext) {
    for (const command of pipeline._queue) carryContext(command, operation, recorder);
  }
  return operation;
}

function start(pipeline: RedisPipeline, recorder: Recorder): CommandOperation {
  const { redis, _queue } = pipeline;
  const operation = new CommandOperation();
  operation.record(recorder, describePipeline(redis, _queue));
  if (redis.status === 'ready' && !redis.isCluster) operation.located();
  // Its first command shows which server of a cluster they go to.
  const [first] = _queue;
  if (first) link(first, operation);
  observe(
    pipeline,
    (results) => {
      operation.settle(errorIn(results, isMulti(pipeline._queue)), results);
      operation.end();
    },
    (error) => {
      operation.settle(error);
      operation.end();
    },
  );
  return operation;
}

/** Observes the end of `pipeline`, before its promise settles for the application. */
function observe(
  pipeline: RedisPipeline,
  succeeded: (results: Parameters<RedisPipeline['resolve']>[0]) => void,
  failed: (error: unknown) => void,
): void {
  const { resolve, reject } = pipeline;
  const resolved: RedisPipeline['resolve'] = (results) => {
    succeeded(results);
    resolve(results);
  };
  const rejected: RedisPipeline['reject'] = (error) => {
    failed(error);
    reject(error);
  };
  pipeline.resolve = resolved;
  pipeline.reject = rejected;
}
