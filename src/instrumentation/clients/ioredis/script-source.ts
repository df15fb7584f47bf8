import { CallScope } from '../../../carry/call-scope.ts';
import { reservePatch, ownerOf, patchMethod, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { noteScript } from '../../redis/scripts.ts';
import { finishing } from '../../pending-operation.ts';
import { CommandOperation } from './command-operation.ts';
import type { RedisCommand, RedisConnection, RedisScript } from './library-types.ts';

/*
 * Commands that the application defined by a script. The client sends the script's digest and, if
 * the server does not know it, the script: two commands for one call, whose operation ends with the
 * promise that the call returns. `calling` is the call on the stack; `classes` holds the classes of
 * the commands, by which the second one is recognised.
 */
interface ScriptCall {
  /** Not set for a script in a pipeline, which is one operation as a whole. */
  operation: CommandOperation | undefined;
}
const calling = new CallScope<ScriptCall>();
const classes = new WeakSet<object>();
const undos: Undo[] = [];

/** The script being called at the moment. */
export function currentScript(): ScriptCall | undefined {
  return calling.current;
}

export function isScriptCommand(command: RedisCommand): boolean {
  return classes.has(command.constructor);
}

/** Patches the definition of scripts, and their class when the first script is defined. */
export function patchScripts(prototype: RedisConnection, recorder: Recorder): Undo | undefined {
  const owner = ownerOf(prototype, 'defineCommand') as RedisConnection | undefined;
  const release = owner && reservePatch(owner, 'ioredis scripts');
  if (!release) return undefined;
  const undo = patchMethod(owner, 'defineCommand', (original) => {
    return function defineCommand(name, definition) {
      const result = original.call(this, name, definition);
      const script = this.scriptsSet?.[name];
      if (script) {
        noteScript(name, script.sha, script.lua);
        patchScript(script, recorder);
      }
      return result;
    };
  });
  return () => {
    undo?.();
    release();
  };
}

/** Undoes the patches of the classes of scripts. */
export function undoScripts(): void {
  for (const undo of undos.splice(0)) undo();
}

function patchScript(script: RedisScript, recorder: Recorder): void {
  classes.add(script.Command);
  const prototype = Object.getPrototypeOf(script) as RedisScript;
  const release = reservePatch(prototype, 'ioredis script');
  if (!release) return;
  const undo = patchMethod(prototype, 'execute', (original) => executeOf(original, recorder));
  undos.push(() => {
    undo?.();
    release();
  });
}

function executeOf(original: RedisScript['execute'], recorder: Recorder): RedisScript['execute'] {
  return function execute(this: RedisScript, container, args, options, callback) {
    const isAlone = !('_queue' in container) && recorder.isListening;
    const operation = isAlone ? new CommandOperation() : undefined;
    const told =
      operation && typeof callback === 'function'
        ? finishing(operation, callback as () => void)
        : callback;
    const outer = calling.enter({ operation });
    let result: unknown;
    try {
      result = original.call(this, container, args, options, told);
    } finally {
      calling.leave(outer);
    }
    // The client handles a rejection that it passes to a callback; the rejection of a promise made
    // here would be unhandled.
    if (operation === undefined || told !== callback) return result;
    return result instanceof Promise ? ended(result, operation) : result;
  };
}

/**
 * Returns a promise with the same outcome; its rejection counts as handled, or not, as that of
 * `promise` did.
 */
function ended(promise: Promise<unknown>, operation: CommandOperation): Promise<unknown> {
  return promise.then(
    (result) => {
      operation.settle(undefined, result);
      operation.end();
      return result;
    },
    (error: unknown) => {
      operation.settle(error);
      operation.end();
      throw error;
    },
  );
}
