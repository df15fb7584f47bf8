/*
 * What the JSON schemas of answers are made of: types, and what more than one answer has.
 */

export type Schema = Record<string, unknown>;

export const text: Schema = { type: 'string' };
export const number: Schema = { type: 'number' };
export const whole: Schema = { type: 'integer', minimum: 0 };
export const flag: Schema = { type: 'boolean' };
export const list = (items: Schema): Schema => ({ type: 'array', items });
export const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });

/** All that is not named in `optional` has to be there. */
export function object(
  properties: Schema,
  optional: readonly string[] = [],
  description = '',
): Schema {
  return {
    type: 'object',
    ...(description === '' ? {} : { description }),
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    additionalProperties: false,
  };
}

export function answer(
  kind: string,
  description: string,
  rest: Schema,
  optional: string[] = [],
): Schema {
  return object({ $schema: text, kind: { const: kind }, ...rest }, optional, description);
}

export const SPAN_KIND: Schema = {
  enum: ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'],
};
const ATTRIBUTES = list({ type: 'array', minItems: 2, maxItems: 2 });
const INTERVALS = list({ type: 'array', items: number, minItems: 2, maxItems: 2 });

export const DEFINITIONS: Record<string, Schema> = {
  parts: object(
    { runningMs: number, ioMs: number, loopMs: number },
    [],
    'Milliseconds running JavaScript, waiting for I/O, and ready while others held the event loop.',
  ),
  blocker: object({ name: text, ms: number, traceId: text, spanId: text }, ['traceId', 'spanId']),
  request: object(
    {
      traceId: text,
      name: text,
      service: text,
      kind: SPAN_KIND,
      path: text,
      startMs: number,
      startNanos: text,
      durationMs: number,
      statusCode: text,
      error: flag,
      errorSpans: whole,
      spans: whole,
      services: whole,
      parts: ref('parts'),
      blockedBy: ref('blocker'),
      warnings: whole,
      findings: whole,
      incomplete: flag,
      outside: { const: true, description: 'An operation outside of any request.' },
    },
    ['path', 'statusCode', 'parts', 'blockedBy', 'outside'],
  ),
  node: object(
    {
      name: text,
      kind: SPAN_KIND,
      service: text,
      count: { ...whole, description: 'Spans of this name below one node.' },
      totalMs: number,
      selfMs: number,
      errors: whole,
      criticalMs: number,
      slowest: { ...text, description: 'The id of the slowest, for --span.' },
      children: list(ref('node')),
      omitted: { ...whole, description: 'Nodes below that had no room.' },
    },
    ['errors', 'criticalMs', 'children', 'omitted'],
  ),
};

export const SPAN: Schema = object(
  {
    id: text,
    parentId: text,
    depth: whole,
    descendants: whole,
    name: text,
    kind: SPAN_KIND,
    service: text,
    start: { ...number, description: "Microseconds since the trace's start." },
    end: number,
    status: object({ code: { enum: ['UNSET', 'OK', 'ERROR'] }, message: text }, ['message']),
    attributes: ATTRIBUTES,
    events: list({ type: 'object' }),
    links: list({ type: 'object' }),
    warnings: list(text),
    findings: list(whole),
    critical: INTERVALS,
    parts: ref('parts'),
    blockedBy: ref('blocker'),
    dropped: { type: 'object' },
    resourceAttributes: ATTRIBUTES,
    omitted: { ...whole, description: 'Attributes, events and links that had no room.' },
  },
  ['parentId', 'parts', 'blockedBy', 'dropped'],
);

/** The shape of a trace. */
export const TRACE_PARTS: Schema = {
  request: ref('request'),
  tree: list(ref('node')),
  nodesOmitted: whole,
  warnings: list(text),
  findings: list(object({ name: text, summary: text, place: text }, ['place'])),
  next: text,
};
