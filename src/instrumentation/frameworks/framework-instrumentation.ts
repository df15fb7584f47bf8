import { optionError } from '../../base/errors.ts';
import { resumeHandlerSpans } from '../http/server/handler-span.ts';
import type { Instrumentation } from '../instrumentation.ts';
import type { ModuleExports } from '../module-hooks.ts';
import type { Undo } from '../../base/patch.ts';
import { PatchedModules } from '../patched-modules.ts';
import { VERSION } from '../version.ts';
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
export class FrameworkInstrumentation implements Instrumentation<FrameworkConfig> {
  readonly instrumentationName: string;
  readonly instrumentationVersion: string = VERSION;
  readonly #modules: PatchedModules;
  readonly #framework: FrameworkDefinition;
  #unfollow: Undo | undefined;
  #config: FrameworkConfig;

  constructor(framework: FrameworkDefinition, config: FrameworkConfig = {}) {
    this.instrumentationName = `clew/${framework.name}`;
    this.#config = checked(config);
    this.#framework = framework;
    this.#modules = new PatchedModules(framework.name, framework.modules);
  }

  enable(): void {
    if (this.#config.enabled === false) return;
    this.#modules.enable();
    this.#unfollow ??= this.#framework.follow?.();
  }

  disable(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    resumeHandlerSpans(this.#framework.name);
    this.#modules.disable();
  }

  instrument(exports: ModuleExports): Undo {
    return this.#modules.instrument(exports);
  }

  setTracerProvider(): void {
    // The spans are those of the server.
  }

  setMeterProvider(): void {
    // Nothing is measured.
  }

  setConfig(config: FrameworkConfig): void {
    this.#config = checked(config);
  }

  getConfig(): FrameworkConfig {
    return { ...this.#config, enabled: this.#modules.isEnabled };
  }
}

function checked(config: FrameworkConfig): FrameworkConfig {
  for (const key of Object.keys(config)) {
    if (key !== 'enabled') throw optionError('config', 'made of enabled', key);
  }
  return config;
}
