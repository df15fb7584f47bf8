import { optionError } from '../base/errors.ts';
import { NodeSurroundings } from './collector/node-surroundings.ts';
import { Observer } from './collector/observer.ts';
import { SetupWatch } from './collector/setup-watch.ts';
import { diagnose } from './diagnose.ts';
import type { Finding, FindingKind, FindingName, Report } from './finding.ts';
import type { LossKind } from './record.ts';
import { SCHEMA_ID } from './schema.ts';

/** Options of `ContextLossDetector`. */
export interface ContextLossDetectorOptions {
  /**
   * Milliseconds after the end of a request from which its work on a connection it opened is stale.
   * Default 1000.
   */
  staleMillis?: number;
  /** Keep the creation stack of every timer, too. Costs about 5 µs for each. Default false. */
  deep?: boolean;
  /**
   * The application runs already: async resources of which the creation was not seen are taken for
   * ones of start-up. Default false.
   */
  late?: boolean;
  /** Look for faults of the set-up, too. Default true. */
  setup?: boolean;
  /**
   * Called when a span is seen that lost its parent, or that works for a request which has ended,
   * with the span as its tracer returned it and the name of the finding. Anchors may speak later:
   * not every loss has a span.
   */
  onLoss?(kind: LossKind, span: object | undefined, name: FindingName): void;
  /**
   * Called when clew's own export fails, which may be after `exit` was emitted to others: a report
   * from then on has it.
   */
  onExportFailure?(): void;
  /** Called once, when a server of this process listens. */
  onServing?(): void;
}

/** How many losses were seen, by kind. */
export type LossCounts = Record<Exclude<FindingKind, 'setup'>, number>;

/**
 * Finds the lines that lose the context in this process, whichever tracer it has: it reads the
 * active span through the API of OpenTelemetry, or the scope of dd-trace.
 *
 * Create and start it before the application loads its libraries. It changes no context.
 */
export class ContextLossDetector {
  readonly #observer: Observer;
  readonly #setup: SetupWatch | undefined;
  readonly #counts: LossCounts = { lost: 0, mixed: 0, stale: 0, batched: 0, inactive: 0 };
  #started = false;

  constructor(options: ContextLossDetectorOptions = {}) {
    const { staleMillis = 1000, deep = false, late = false, setup = true } = options;
    if (!(Number.isFinite(staleMillis) && staleMillis >= 0)) {
      throw optionError('staleMillis', 'a number of milliseconds', staleMillis);
    }
    this.#observer = new Observer({
      staleMillis,
      deep,
      isLate: late,
      onLoss: ({ kind, name, count, spans }) => {
        this.#counts[kind] += count;
        for (const span of spans) options.onLoss?.(kind, span, name);
        if (spans.length === 0) options.onLoss?.(kind, undefined, name);
      },
      onServing: () => options.onServing?.(),
    });
    this.#setup = setup ? new SetupWatch(() => options.onExportFailure?.()) : undefined;
  }

  start(): this {
    if (this.#started) return this;
    this.#started = true;
    this.#observer.start();
    this.#setup?.start();
    return this;
  }

  /** Undoes every patch. What was seen stays. */
  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.#setup?.stop();
    this.#observer.stop();
  }

  /**
   * Makes `object` an anchor: a job, a message or a client that belongs to the request that runs.
   */
  own(object: object): void {
    this.#observer.anchors.own(object);
  }

  /** Says that an anchor is touched; under the context of another request that is a finding. */
  touch(object: object, what = 'touch'): void {
    const touch = (): void => this.#observer.anchors.touch(object, what, touch);
    touch();
  }

  /** Causes, most damage first. Reads stacks and source files: not for a hot path. */
  findings(): Finding[] {
    return this.report().findings;
  }

  report(): Report {
    const run = this.#observer.record(this.#setup?.facts() ?? []);
    const { requests, spans, millis, dropped } = run;
    const findings = diagnose(run, new NodeSurroundings());
    return { $schema: SCHEMA_ID, version: 1, requests, spans, millis, findings, dropped };
  }

  /** Losses so far, counted as they were seen. */
  stats(): LossCounts {
    return { ...this.#counts };
  }
}
