import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

import type { Instrumentation } from '../instrumentation.ts';
import type { ModuleExports } from '../module-hooks.ts';
import type { Undo } from '../../base/patch.ts';
import { PatchedModules } from '../patched-modules.ts';
import { VERSION } from '../version.ts';
import {
  resolveMessagingConfig,
  type ConsumerSpan,
  type MessagingConfig,
} from './messaging-config.ts';
import type { MessagingDefinition } from './messaging-definition.ts';
import { MessagingRecorder } from './messaging-recorder.ts';

/** The instrumentation of one messaging library: spans of its producers and consumers. */
export class MessagingInstrumentation implements Instrumentation<MessagingConfig> {
  readonly instrumentationName: string;
  readonly instrumentationVersion: string = VERSION;
  readonly #modules: PatchedModules;
  readonly #recorder: MessagingRecorder;
  readonly #defaultSpan: ConsumerSpan | undefined;
  #config: MessagingConfig;
  /** Called with a module of the library that arrives, before it is patched. @internal */
  onArrival: ((exports: ModuleExports) => void) | undefined;

  /** `defaultSpan` is what a consumer's span is where the configuration does not tell. */
  constructor(
    library: MessagingDefinition,
    config: MessagingConfig = {},
    defaultSpan?: ConsumerSpan,
  ) {
    this.instrumentationName = `clew/${library.name}`;
    this.#config = config;
    this.#defaultSpan = defaultSpan;
    this.#recorder = new MessagingRecorder(
      this.instrumentationName,
      VERSION,
      resolveMessagingConfig(config, defaultSpan),
    );
    this.#modules = new PatchedModules(
      library.name,
      library.modules.map((module) => ({
        module: module.module,
        versions: module.versions,
        patch: (exports, replace) => module.patch(exports, this.#recorder, replace),
      })),
      (exports) => this.onArrival?.(exports),
    );
  }

  enable(): void {
    if (this.#recorder.config.enabled) this.#modules.enable();
  }

  disable(): void {
    this.#modules.disable();
  }

  instrument(exports: ModuleExports): Undo {
    return this.#modules.instrument(exports);
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#recorder.providers.setTracerProvider(provider);
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#recorder.providers.setMeterProvider(provider);
  }

  setConfig(config: MessagingConfig): void {
    this.#recorder.config = resolveMessagingConfig(config, this.#defaultSpan);
    this.#config = config;
  }

  getConfig(): MessagingConfig {
    return { ...this.#config, enabled: this.#modules.isEnabled };
  }
}
