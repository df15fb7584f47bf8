import type { Undo } from '../../base/patch.ts';
import { optionError } from '../../base/errors.ts';
import { resumeHandlerSpans } from '../http/server/handler-span.ts';
import { LibraryInstrumentation } from '../library-instrumentation.ts';
import type { FrameworkDefinition } from './framework.ts';

/** The configuration of a framework's instrumentation. */
export interface FrameworkConfig {
  /** Whether requests get the routes of the framework. Default: true. */
  enabled?: boolean;
}

/**
 * The instrumentation of one framework: the spans of requests get its routes, the names of the
 * handlers that answer, and the errors that it catches.
 */
export class FrameworkInstrumentation extends LibraryInstrumentation<FrameworkConfig> {
  readonly #framework: FrameworkDefinition;
  #unfollow: Undo | undefined;

  constructor(framework: FrameworkDefinition, config: FrameworkConfig = {}) {
    super(framework.name, framework.modules, checked(config));
    this.#framework = framework;
  }

  override enable(): void {
    super.enable();
    if (this.getConfig().enabled === true) this.#unfollow ??= this.#framework.follow?.();
  }

  override disable(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    resumeHandlerSpans(this.#framework.name);
    super.disable();
  }

  protected override configure(config: FrameworkConfig): void {
    checked(config);
  }
}

function checked(config: FrameworkConfig): FrameworkConfig {
  for (const key of Object.keys(config)) {
    if (key !== 'enabled') throw optionError('config', 'made of enabled', key);
  }
  return config;
}
