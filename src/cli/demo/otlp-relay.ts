import type { RequestRow, SpanKind } from '../../viewer/model.ts';
import type { Trace, TraceStore } from '../../viewer/store.ts';
import { isSum } from '../../viewer/threads.ts';
import { startViewer, type RunningViewer, type ViewOptions } from '../view/start.ts';

/** How long to wait for the spans of requests that were answered, in milliseconds. */
const MAX_WAIT = 10_000;
/** What a request waited for comes some time after it, but not always; in milliseconds. */
const MAX_LATE = 1000;
/** A trace is complete when nothing has come for this long, in milliseconds. */
const QUIET = 250;

export interface RelayOptions extends Pick<ViewOptions, 'forwardTo' | 'awaited' | 'onCollector'> {
  /** The shop makes spans of what its requests wait for, which come a moment later. */
  hasResources?: boolean;
}

/**
 * The viewer that the shop sends its spans to: it shows them on a page, and hands each request on
 * unchanged to a collector if there is one.
 */
export class OtlpRelay {
  readonly #running: RunningViewer;
  readonly #hasResources: boolean;

  private constructor(running: RunningViewer, hasResources: boolean) {
    this.#running = running;
    this.#hasResources = hasResources;
  }

  static async start(options: RelayOptions = {}): Promise<OtlpRelay> {
    const { hasResources = false, ...more } = options;
    const running = await startViewer({ files: [], otlpPort: 0, ...more });
    return new OtlpRelay(running, hasResources);
  }

  get store(): TraceStore {
    return this.#running.viewer.store;
  }

  /** The trace as a line of the list. */
  rowOf(trace: Trace): RequestRow {
    return this.#running.viewer.row(trace);
  }

  /** The base URL to export to. */
  get url(): string {
    return this.#running.otlpUrl ?? '';
  }

  /** Where the page is. */
  get pageUrl(): string {
    return this.#running.pageUrl;
  }

  /** Requests the collector did not take; the reason of the last one. */
  get refused(): string | undefined {
    return this.#running.server.receiver.refused;
  }

  /**
   * The traces that are not in `before`, once there are `count` of them, each with every parent that
   * a span of it names and what it waited for, the collector has them, and nothing more has come for a
   * moment. After ten seconds, whatever there is. A span that names no parent is not waited for: whatever
   * comes, it stays without one. With `kind` a span of that kind is waited for as well.
   */
  async newTraces(before: ReadonlySet<Trace>, count: number, kind?: SpanKind): Promise<Trace[]> {
    const called = performance.now();
    const { receiver } = this.#running.server;
    for (;;) {
      const traces = [...this.store.traces].filter((trace) => !before.has(trace));
      const complete =
        traces.length >= count &&
        receiver.forwarding === 0 &&
        traces.every(({ kinship }) => kinship.orphans.length === 0) &&
        (kind === undefined ||
          traces.some(({ spans }) => spans.some((span) => span.kind === kind)));
      const quiet = performance.now() - Math.max(called, receiver.lastArrival);
      // Only requests of the shop, which are waited for without a kind, show what they waited for.
      const needsNone = !this.#hasResources || kind !== undefined;
      const isWhole = needsNone || traces.every(({ spans }) => spans.some(isSum));
      if (complete && quiet > (isWhole ? QUIET : MAX_LATE)) return traces;
      if (performance.now() - called > MAX_WAIT) return traces;
      // Not a reason to stay alive when everything else has been stopped.
      await new Promise((resolve) => setTimeout(resolve, 20).unref());
    }
  }

  async stop(): Promise<void> {
    await this.#running.stop();
  }
}
