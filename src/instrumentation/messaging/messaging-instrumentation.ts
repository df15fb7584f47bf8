import { LibraryInstrumentation, modulesFor, scopeOf } from '../library-instrumentation.ts';
import { VERSION } from '../version.ts';
import {
  resolveMessagingConfig,
  type ConsumerSpan,
  type MessagingConfig,
} from './messaging-config.ts';
import type { MessagingDefinition } from './messaging-definition.ts';
import { MessagingRecorder } from './messaging-recorder.ts';

/** The instrumentation of one messaging library: spans of its producers and consumers. */
export class MessagingInstrumentation extends LibraryInstrumentation<MessagingConfig> {
  readonly #recorder: MessagingRecorder;
  readonly #defaultSpan: ConsumerSpan | undefined;

  /** `defaultSpan` is what a consumer's span is where the configuration does not name it. */
  constructor(
    library: MessagingDefinition,
    config: MessagingConfig = {},
    defaultSpan?: ConsumerSpan,
  ) {
    const recorder = new MessagingRecorder(
      scopeOf(library.name),
      VERSION,
      resolveMessagingConfig(config, defaultSpan),
    );
    super(library.name, modulesFor(library.modules, recorder), config, recorder.providers);
    this.#recorder = recorder;
    this.#defaultSpan = defaultSpan;
  }

  protected override configure(config: MessagingConfig): void {
    this.#recorder.config = resolveMessagingConfig(config, this.#defaultSpan);
  }
}
