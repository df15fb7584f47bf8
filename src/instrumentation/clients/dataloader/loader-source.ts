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
import { claim, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { addExceptionEvent } from '../../recorder/exception-event.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';

/** What is used of a loader, as far as all supported versions have it. */
interface Loader {
  readonly name?: string | null;
  /** The keys that wait to be loaded together. */
  readonly _batch: { readonly keys: readonly unknown[] } | null;
  /** The application's function, which loads a batch. */
  _batchLoadFn: LoadBatch;
  load(key: unknown): Promise<unknown>;
}

type LoadBatch = (this: unknown, keys: readonly unknown[]) => unknown;

/*
 * Who asked for the keys of a batch: their contexts, and a resource that holds the first one's. An
 * entry is written by `load` under the batch's own list of keys, and lives as long as that. A key
 * that is cached, or in the batch already, is not asked for again and counts for nobody.
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
  const release = claim(prototype, 'dataloader');
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

/** Sees the batches of `loader`, which calls its function by this property. */
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
      // With one context the batch is a part of what that one does. Of several, whatever is in one
      // is kept from the others.
      return batch.contexts.size === 1
        ? batch.first.run(load, undefined)
        : runInRoot(load, undefined);
    } finally {
      batch.first.end();
    }
  };
}

/** A span for a batch that anybody with a span asked for, linked to all of these. */
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
