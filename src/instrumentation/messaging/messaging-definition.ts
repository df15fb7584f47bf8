import type { LibraryModule } from '../library-instrumentation.ts';
import type { MessagingRecorder } from './messaging-recorder.ts';

/** A messaging library as this package sees it: what `messaging/<name>/index.ts` exports. */
export interface MessagingDefinition {
  /** The name in configuration, and the end of the instrumentation scope `clew/<name>`. */
  readonly name: string;
  readonly modules: readonly LibraryModule<MessagingRecorder>[];
  /** Packages whose callers it keeps by itself: their repair rules are for applications without it. */
  readonly inPlaceOfRules?: readonly string[];
}
