import { Observer, type SeenLoss } from './collector/observer.ts';
import type { LossCounts } from './detector.ts';

/** The attribute of spans that lost their parent, or that are in another request's trace. */
export const ATTR_CONTEXT_LOSS = 'clew.context_loss';

const STALE_MILLIS = 1000;

interface Markable {
  setAttribute?(key: string, value: string): unknown;
  isRecording?(): boolean;
}

/**
 * The low-cost part of the doctor, for production: marks spans with the name of the finding, and
 * counts. It keeps no creation stacks of short-lived async resources, and writes no report.
 *
 * A span is marked while it records. Spans without a parent and spans below an ended request are
 * marked when they begin; spans in another request's trace when the response shows it. The root
 * span of the request that lost its work is marked, too, as that is the one a user looks at.
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

  /** Returns the number of losses so far, by kind. */
  stats(): LossCounts {
    return { ...this.#counts };
  }

  #mark({ kind, name, count, spans, owner }: SeenLoss): void {
    this.#counts[kind] += count;
    // One piece of work for several requests is not a loss, and a span that is not active is
    // intact.
    if (kind === 'batched' || kind === 'inactive') return;
    for (const span of spans) mark(span, name);
    if (owner) mark(owner, name);
  }
}

function mark(span: Markable, name: string): void {
  if (span.isRecording?.() === true) span.setAttribute?.(ATTR_CONTEXT_LOSS, name);
}
