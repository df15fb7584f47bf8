import { Observer, type SeenLoss } from './collector/observer.ts';
import type { LossCounts } from './detector.ts';

/** The attribute on spans that lost their parent, or that stand in another request's trace. */
export const ATTR_CONTEXT_LOSS = 'clew.context_loss';

const STALE_MILLIS = 1000;

interface Markable {
  setAttribute?(key: string, value: string): unknown;
  isRecording?(): boolean;
}

/**
 * The cheap part of the doctor, for production: marks spans with the name of the finding, and
 * counts. It keeps no creation stacks of short-lived async resources, and writes no report.
 *
 * A span is marked while it records: those without a parent and those below an ended request when
 * they begin, those in another request's trace where the response shows it. The root span of the
 * request whose work went astray is marked, too, as it is the one that a person looks at.
 */
export class ContextLossMarks {
  readonly #observer: Observer;
  readonly #counts: LossCounts = { lost: 0, mixed: 0, stale: 0, batched: 0, inactive: 0 };

  constructor() {
    this.#observer = new Observer({
      staleMillis: STALE_MILLIS,
      deep: false,
      isLive: true,
      onLoss: (loss) => this.#mark(loss),
    });
  }

  start(): this {
    this.#observer.start();
    return this;
  }

  /** Undoes every patch. */
  stop(): void {
    this.#observer.stop();
  }

  /** Losses so far, by kind. */
  stats(): LossCounts {
    return { ...this.#counts };
  }

  #mark({ kind, name, count, spans, owner }: SeenLoss): void {
    this.#counts[kind] += count;
    // One piece of work for several requests is no loss, and a span that is not active is whole.
    if (kind === 'batched' || kind === 'inactive') return;
    for (const span of spans) mark(span, name);
    if (owner) mark(owner, name);
  }
}

function mark(span: Markable, name: string): void {
  if (span.isRecording?.() === true) span.setAttribute?.(ATTR_CONTEXT_LOSS, name);
}
