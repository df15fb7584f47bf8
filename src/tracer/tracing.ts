import { join } from 'node:path';
import { setImmediate } from 'node:timers';

import type { TracerProvider } from '@opentelemetry/api';

import { messageOf } from '../base/errors.ts';
import { say } from '../base/log.ts';
import { AsyncResourceTracer, type RequestReport } from './async-resource-tracer.ts';
import { runUntraced, type ResourceOwner } from './owner.ts';
import type { AsyncTrace, TracerLevel } from './record.ts';
import { listenForRecordings, timestamp } from './recording/control.ts';
import { writeSingle } from './recording/file-recorder.ts';
import { RECORD_HEADER, RecordHeaderVerifier } from './recording/signed-header.ts';
import type { RequestHead } from './request-source.ts';
import { writeResourceSpans } from './resource-spans.ts';
import { SplitSpanProcessor, type ProcessedSpan } from './split-span-processor.ts';

/** Options of the tracer in a process in which clew was started. */
export interface TracingSettings {
  level: TracerLevel;
  /** The share of sampled requests, 0 to 1, that get resource spans. */
  resourceSpans: number;
  /** If set, a signed header can request a recording of one request. */
  recordSecret?: string | undefined;
  /** The folder for recordings. */
  recordFolder: string;
  /** If set, this signal starts a recording. */
  recordSignal?: NodeJS.Signals | undefined;
  /** Called with each request that has ended, once its name is known. */
  onRequest?: ((report: RequestReport) => void) | undefined;
  /** Called when the process is about to end, after the last request. */
  onEnd?: (() => void) | undefined;
}

let running: Tracing | undefined;

/**
 * Starts the tracer of this process, or returns the running one, whose level is raised if
 * necessary.
 */
export function startTracing(settings: TracingSettings): Tracing {
  if (running) running.extend(settings);
  else running = new Tracing(settings);
  return running;
}

/** The tracer of this process and the parts that use it. */
export class Tracing {
  readonly tracer: AsyncResourceTracer;
  /** Adds the split to spans; has to precede the processor that exports. */
  readonly processor: SplitSpanProcessor;
  readonly #settings: TracingSettings;
  readonly #verifier: RecordHeaderVerifier | undefined;
  readonly #undo: (() => void)[] = [];
  #provider: TracerProvider | undefined;
  #recordings = 0;
  #atEnd: () => void = () => undefined;

  constructor(settings: TracingSettings) {
    this.#settings = { ...settings };
    this.#verifier = verifierOf(settings);
    this.tracer = new AsyncResourceTracer({
      onTrace: (trace) => this.#receive(trace),
      onRequestStart: (owner, head) => this.#mark(owner, head),
    });
    this.processor = new SplitSpanProcessor(this.tracer, {
      onRootSpan: (owner, span) => this.#choose(owner, span),
    });
    // Requests have to be observed to be chosen.
    const chooses = this.#verifier !== undefined || settings.resourceSpans > 0;
    this.tracer.setLevel(settings.level === 'off' && chooses ? 'watch' : settings.level);
    this.#report(settings);
    this.#listen(settings);
  }

  /** The provider of resource spans. */
  setTracerProvider(provider: TracerProvider): void {
    this.#provider = provider;
  }

  /** @internal */
  extend(settings: TracingSettings): void {
    if (this.tracer.level === 'off') this.tracer.setLevel(settings.level);
    if (!this.#settings.onRequest) this.#report(settings);
    if (!this.#settings.recordSignal) this.#listen(settings);
  }

  /**
   * Passes on finished groups when the process is about to end, which is not always announced by
   * `exit`.
   */
  end(): void {
    this.tracer.flush(true);
    this.#atEnd();
  }

  stop(): void {
    if (running === this) running = undefined;
    this.tracer.stop();
    for (const undo of this.#undo.splice(0)) undo();
  }

  #report({ onRequest, onEnd }: TracingSettings): void {
    if (!onRequest) return;
    Object.assign(this.#settings, { onRequest, onEnd });
    const ended: RequestReport[] = [];
    const flush = (): void => {
      for (const report of ended.splice(0)) onRequest(report);
    };
    // The request's span ends in this turn, too, and knows the route, so the line can use its name.
    const add = (report: RequestReport): void => {
      if (ended.push(report) === 1) runUntraced(() => setImmediate(flush).unref());
    };
    this.#atEnd = () => {
      flush();
      onEnd?.();
    };
    process.on('exit', this.#atEnd);
    const undo = this.tracer.onRequest(add);
    this.#undo.push(undo, () => process.off('exit', this.#atEnd), flush);
  }

  #listen({ recordSignal, recordFolder }: TracingSettings): void {
    if (!recordSignal) return;
    this.#settings.recordSignal = recordSignal;
    const { tracer } = this;
    const options = { signal: recordSignal, folder: recordFolder, tracer };
    this.#undo.push(listenForRecordings(options));
  }

  #mark(owner: ResourceOwner, request: RequestHead): void {
    const header = this.#verifier && request.headers[RECORD_HEADER];
    if (!this.#verifier || header === undefined) return;
    owner.marked = this.#verifier.accepts(header, request.method ?? '', request.url ?? '');
  }

  /** Decided by the trace id, so that all services with the same ratio choose the same requests. */
  #choose(owner: ResourceOwner, span: ProcessedSpan): void {
    const share = Number.parseInt(span.spanContext().traceId.slice(-8), 16) / 0x1_0000_0000;
    if (owner.marked || share < this.#settings.resourceSpans) this.tracer.traceOwner(owner);
  }

  #receive(trace: AsyncTrace): void {
    const tracer = this.#provider?.getTracer('clew/tracer');
    if (tracer) writeResourceSpans(trace, { tracer });
    if (!trace.owner?.marked) return;
    const name = `request-${timestamp()}-${process.pid}-${++this.#recordings}.clew`;
    const file = writeSingle(trace, join(this.#settings.recordFolder, name));
    if (file) say('info', `recorded ${trace.owner.label} into ${file}`);
  }
}

function verifierOf({ recordSecret }: TracingSettings): RecordHeaderVerifier | undefined {
  if (!recordSecret) return undefined;
  try {
    return new RecordHeaderVerifier(recordSecret);
  } catch (error) {
    say('warn', `${messageOf(error)}Requests cannot start a recording.`);
    return undefined;
  }
}
