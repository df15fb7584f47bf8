import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import type { SpanSink, SpanSource } from './span-event.ts';

interface DatadogSpan {
  context(): object & { toTraceId?(asHex?: boolean): string; _isRemote?: boolean };
}
interface Datadog {
  scope?(): { active?(): DatadogSpan | null | undefined };
}
interface Started {
  span: DatadogSpan;
  fields?: {
    operationName?: string;
    parent?: (object & { _isRemote?: boolean }) | null;
    tags?: Record<string, unknown>;
    integrationName?: string;
  };
}

/** The spans of `dd-trace`, which has contexts of its own: its public scope and its channels. */
export class DatadogSpans implements SpanSource {
  #sink: SpanSink | undefined;

  start(sink: SpanSink): void {
    this.#sink = sink;
    subscribe('dd-trace:span:start', this.#onStart);
    subscribe('dd-trace:span:finish', this.#onFinish);
  }

  stop(): void {
    unsubscribe('dd-trace:span:start', this.#onStart);
    unsubscribe('dd-trace:span:finish', this.#onFinish);
    this.#sink = undefined;
  }

  active(): object | undefined {
    try {
      const tracer = (globalThis as { _ddtrace?: Datadog })._ddtrace;
      return tracer?.scope?.().active?.()?.context();
    } catch {
      return undefined;
    }
  }

  readonly #onStart = (message: unknown): void => {
    try {
      const { span, fields = {} } = message as Started;
      const kind = fields.tags?.['span.kind'];
      const key = span.context();
      const parent = fields.parent ?? undefined;
      this.#sink?.started({
        key,
        parent,
        isRemote: parent?._isRemote === true,
        isRoot: false,
        isEntry: kind === 'server' || kind === 'consumer' || fields.operationName === 'web.request',
        name: fields.operationName ?? 'span',
        scope: `dd-trace/${fields.integrationName ?? ''}`,
        traceId: key.toTraceId?.(true),
      });
    } catch {
      // Never into the application.
    }
  };

  readonly #onFinish = (message: unknown): void => {
    try {
      this.#sink?.ended((message as DatadogSpan).context());
    } catch {
      // Never into the application.
    }
  };
}
