import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';

import { OperationResource } from '../../../carry/operation-resource.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { addExceptionEvent } from '../../recorder/exception-event.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';

/** The parts of a loader that are used, in all supported versions. */
interface Loader {
  readonly name?: string | null;
  /** The keys waiting to be loaded together. */
  readonly _batch: { readonly keys: readonly unknown[] } | null;
  /** The application's function, which loads a batch. */
  _batchLoadFn: LoadBatch;
  load(key: unknown): Promise<unknown>;
}

type LoadBatch = (this: unknown, keys: readonly unknown[]) => unknown;

/*
 * The callers of a batch's keys: their contexts, and an operation resource that holds the first
 * one's. `load` adds an entry under the batch's own list of keys, with which it is collected. A key
 * that is cached, or already in the batch, is not requested again and adds no caller.
 */
interface Asked {
  contexts: Set<Context>;
  first: OperationResource;
  recorder: Recorder;
}
const asked = new WeakMap<readonly unknown[], Asked>();
const observed = new WeakSet<Loader>();

export function patchLoader(
  { prototype }: { prototype: Loader },
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'dataloader');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'load', (original) => {
      return function load(key) {
        const before = this._batch;
        const count = before?.keys.length ?? 0;
        const result = original.call(this, key);
        const batch = this._batch;
        if (batch && (batch !== before || batch.keys.length > count) && batch.keys.length > 0) {
          observe(this);
          ask(batch.keys, recorder);
        }
        return result;
      };
    }),
  ]);
}

function ask(keys: readonly unknown[], recorder: Recorder): void {
  const known = asked.get(keys);
  if (known) known.contexts.add(context.active());
  else {
    const first = new OperationResource('DATALOADER_BATCH');
    asked.set(keys, { contexts: new Set([context.active()]), first, recorder });
  }
}

/** Observes the batches of `loader`, which calls its function through this property. */
function observe(loader: Loader): void {
  if (observed.has(loader)) return;
  observed.add(loader);
  const loadBatch = loader._batchLoadFn;
  loader._batchLoadFn = function (this: unknown, keys) {
    const batch = asked.get(keys);
    if (!batch) return loadBatch.call(this, keys);
    const span = startSpan(loader, keys.length, batch);
    const load = (): unknown => {
      if (!span) return loadBatch.call(this, keys);
      return context.with(trace.setSpan(context.active(), span), () =>
        settling(span, () => loadBatch.call(this, keys)),
      );
    };
    try {
      // With one context, the batch belongs to that caller. With several, values in one context are
      // kept from the others.
      return batch.contexts.size === 1
        ? batch.first.run(load, undefined)
        : runInRoot(load, undefined);
    } finally {
      batch.first.end();
    }
  };
}

/**
 * Starts a span for a batch requested by at least one caller with a span, linked to all of these.
 */
function startSpan(
  { name }: Loader,
  size: number,
  { contexts, recorder }: Asked,
): Span | undefined {
  const { tracer } = recorder.providers;
  if (!tracer || !recorder.config.enabled) return undefined;
  const spans = new Map<string, SpanContext>();
  let parent: Context = ROOT_CONTEXT;
  let isEverybodys = true;
  for (const one of contexts) {
    const spanContext = trace.getSpanContext(one);
    if (!spanContext) {
      isEverybodys = false;
      continue;
    }
    spans.set(`${spanContext.traceId} ${spanContext.spanId}`, spanContext);
    parent = one;
  }
  if (spans.size === 0) return undefined;
  return tracer.startSpan(
    `batch ${name ?? 'dataloader'}`,
    {
      kind: SpanKind.INTERNAL,
      links: [...spans.values()].map((spanContext) => ({ context: spanContext })),
      attributes: { 'clew.batch.size': size },
    },
    spans.size === 1 && isEverybodys ? parent : ROOT_CONTEXT,
  );
}

function settling(span: Span, load: () => unknown): unknown {
  let result: unknown;
  try {
    result = load();
  } catch (error) {
    end(span, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  return result.then(
    (values: unknown) => {
      end(span);
      return values;
    },
    (error: unknown) => {
      end(span, error);
      throw error;
    },
  );
}

function end(span: Span, error?: unknown): void {
  if (error !== undefined) {
    addExceptionEvent(span, error);
    span.setAttribute('error.type', byName(error)).setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function byName(error: unknown): string {
  return error instanceof Error ? error.constructor.name : '_OTHER';
}
