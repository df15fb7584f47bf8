import {
  context,
  INVALID_SPAN_CONTEXT,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import type { SpanOptions, Tracer } from '@opentelemetry/api';

/*
 * The tracer of a Sentry SDK that was initialised after clew and sends its spans to the same place.
 * Each span that Sentry makes by itself names its source in `sentry.origin`. If clew already has a
 * span for the same work, Sentry's span is not recorded: it stands for its parent, so that the
 * spans below it keep their place.
 */

const ORIGIN = 'sentry.origin';
const FORM = /^auto\.(?:db|http)\.(?:otel\.|orchestrion\.)?(\w+)(?:\.diagnostic_channel)?$/;
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  client: ['http'],
  dataloader: ['dataloader'],
  generic_pool: ['generic-pool'],
  http: ['http'],
  knex: ['knex'],
  mongo: ['mongodb'],
  mysql: ['mysql'],
  mysql2: ['mysql2'],
  node_fetch: ['undici'],
  postgres: ['pg'],
  postgresjs: ['postgres'],
  redis: ['redis', 'ioredis'],
  server: ['http'],
};

/** The libraries that a span of Sentry's with these attributes may be of; none where an application made it. */
function librariesOf(attributes: Attributes | undefined): readonly string[] {
  const [, word = ''] = FORM.exec(String(attributes?.[ORIGIN])) ?? [];
  return LIBRARIES[word] ?? [];
}

/** `tracer` without the spans of libraries for which `isRecorded` returns true when they start. */
export function withoutDoubles(tracer: Tracer, isRecorded: (library: string) => boolean): Tracer {
  const isDouble = (options: SpanOptions | undefined): boolean =>
    librariesOf(options?.attributes).some(isRecorded);
  const startSpan: Tracer['startSpan'] = (name, options, parent) =>
    isDouble(options)
      ? standIn(options?.root === true ? undefined : (parent ?? context.active()))
      : tracer.startSpan(name, options, parent);
  const startActiveSpan = (...args: Parameters<Tracer['startActiveSpan']>): unknown => {
    const given = args as unknown[];
    const options = given.length > 2 ? (given[1] as SpanOptions | undefined) : undefined;
    if (!isDouble(options)) return tracer.startActiveSpan(...args);
    const parent = given.length > 3 ? (given[2] as Context) : context.active();
    const span = standIn(options?.root === true ? undefined : parent);
    const run = given.at(-1) as (span: Span) => unknown;
    return context.with(trace.setSpan(parent, span), () => run(span));
  };
  return Object.assign(Object.create(tracer) as Tracer, { startSpan, startActiveSpan });
}

function standIn(parent: Context | undefined): Span {
  return trace.wrapSpanContext((parent && trace.getSpanContext(parent)) ?? INVALID_SPAN_CONTEXT);
}
