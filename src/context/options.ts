import { optionError } from '../base/errors.ts';
import type { StoreName } from './context-store.ts';

/** Options of `AsyncHooksContextManager`. Any other value throws `ERR_OPTION`. */
export interface AsyncHooksContextManagerOptions {
  /** The store to use in place of the one chosen for this version of Node. */
  store?: StoreName;
  /**
   * Where an async resource takes its context from. With `execution`, from the execution that
   * created it. With `execution-then-trigger`, the default, an async resource that Node creates
   * outside of any execution takes the context of its trigger instead: a connection gets the
   * context of the server that accepted it.
   */
  causality?: 'execution' | 'execution-then-trigger';
  /**
   * Which context the listeners of an emitter run in. With `emission`, the default, the context
   * that is active when the event is emitted. With `registration`, the context that was active when
   * the listener was added, if there was one.
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
