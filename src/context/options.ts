import { optionError } from '../base/errors.ts';
import type { StoreName } from './context-store.ts';

/** Options of `AsyncHooksContextManager`. A value that is not listed throws `ERR_OPTION`. */
export interface AsyncHooksContextManagerOptions {
  /** Which store to use, instead of the best one this Node has. */
  store?: StoreName;
  /**
   * Where an async resource takes its context from. Always from the execution that created it;
   * `execution-then-trigger`, the default, takes it from its trigger where Node created it outside
   * of any execution: a connection then has the context of the server that accepted it.
   */
  causality?: 'execution' | 'execution-then-trigger';
  /**
   * Which context the listeners of an emitter run in. With `emission`, the default, in the context
   * of whoever emits. With `registration`, in the context that was active when they were added,
   * where one was.
   */
  listeners?: 'registration' | 'emission';
}

const CHOICES = {
  store: ['hook', 'frame', 'storage'],
  causality: ['execution', 'execution-then-trigger'],
  listeners: ['registration', 'emission'],
} as const;

/** Throws an `ERR_OPTION` for a value that is not one of an option's. */
export function checkOptions(options: AsyncHooksContextManagerOptions): void {
  for (const option of Object.keys(CHOICES) as (keyof typeof CHOICES)[]) {
    const value = options[option];
    const choices: readonly string[] = CHOICES[option];
    if (value !== undefined && !choices.includes(value)) {
      throw optionError(option, `one of ${choices.join(', ')}`, value);
    }
  }
}
