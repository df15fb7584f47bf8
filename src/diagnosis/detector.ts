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
   * How many milliseconds after the end of a request its work on a connection it opened is
   * considered stale. Default 1000.
   */
  staleMillis?: number;
  /** Also keep the creation stack of every timer, at a cost of about 5 µs each. Default false. */
  deep?: boolean;
  /**
   * Set it if the application is already running: async resources whose creation was not observed
   * are then attributed to start-up. Default false.
   */
  late?: boolean;
  /** Also look for faults in the set-up. Default true. */
  setup?: boolean;
  /**
   * Called when a span has lost its parent, or belongs to a request that has ended, with the span
   * as its tracer returned it and the name of the finding. A loss found through an anchor may have
   * no span.
   */
  onLoss?(kind: LossKind, span: object | undefined, name: FindingName): void;
  /**
   * Called when clew's own export fails, possibly after the `exit` event. Reports made from then on
   * include it.
   */
  onExportFailure?(): void;
  /** Called once, when a server of this process starts to listen. */
  onServing?(): void;
}

/** The number of losses, by kind. */
export type LossCounts = Record<Exclude<FindingKind, 'setup'>, number>;

/**
 * Finds the lines of this process that lose the context, with any tracer: it reads the active span
 * through OpenTelemetry's API or dd-trace's scope.
 *
 * Create and start it before the application loads its libraries. It does not change any context.
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

  /** Undoes every patch. The findings so far are kept. */
  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.#setup?.stop();
    this.#observer.stop();
  }

  /** Makes `object` an anchor: a job, a message or a client that belongs to the current request. */
  own(object: object): void {
    this.#observer.anchors.own(object);
  }

  /** Records that an anchor is used. Use under the context of another request is a finding. */
  touch(object: object, what = 'touch'): void {
    const touch = (): void => this.#observer.anchors.touch(object, what, touch);
    touch();
  }

  /**
   * Returns the causes, most damage first. Reads stacks and source files, so do not call it on a
   * hot path.
   */
  findings(): Finding[] {
    return this.report().findings;
  }

  report(): Report {
    const run = this.#observer.record(this.#setup?.facts() ?? []);
    const { requests, routes, spans, millis, dropped } = run;
    const findings = diagnose(run, new NodeSurroundings());
    return {
      $schema: SCHEMA_ID,
      version: 1,
      requests,
      routes: { ...routes },
      spans,
      millis,
      findings,
      dropped,
    };
  }

  /** Counts of the losses so far. */
  stats(): LossCounts {
    return { ...this.#counts };
  }
}
