/*
 * The JSON schema of what commands print with `--json`; the doctor's has a schema of its own (`diagnosis/schema.ts`). `clew.output.schema.json` is this, and a test compares.
 */

import { TRACER_LEVELS } from '../tracer/record.ts';
import { CONVERSIONS } from '../tracer/recording/convert.ts';

type Schema = Record<string, unknown>;

const text: Schema = { type: 'string' };
const number: Schema = { type: 'number' };
const whole: Schema = { type: 'integer', minimum: 0 };
const flag: Schema = { type: 'boolean' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });

/** All that is not named in `optional` has to be there. */
function object(properties: Schema, optional: readonly string[] = [], description = ''): Schema {
  return {
    type: 'object',
    ...(description === '' ? {} : { description }),
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    additionalProperties: false,
  };
}

function answer(kind: string, description: string, rest: Schema, optional: string[] = []): Schema {
  return object({ $schema: text, kind: { const: kind }, ...rest }, optional, description);
}

const SPAN_KIND: Schema = {
  enum: ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'],
};
const ATTRIBUTES = list({ type: 'array', minItems: 2, maxItems: 2 });
const INTERVALS = list({ type: 'array', items: number, minItems: 2, maxItems: 2 });

const DEFINITIONS: Record<string, Schema> = {
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

const SPAN: Schema = object(
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

const RULE: Schema = object({
  module: text,
  path: text,
  rule: { oneOf: [text, { type: 'object', properties: { kind: text }, required: ['kind'] }] },
});
const RECORDING: Schema = object(
  { file: text, requests: whole, records: whole, bytes: whole },
  [],
  'A file that was written; `records` are async resources.',
);
const LEVEL: Schema = { enum: TRACER_LEVELS };
const ENDED: Schema = {
  exitCode: { ...whole, description: 'Of the application; absent: a signal ended it.' },
  signal: text,
};

/** The schema of every `--json` but the doctor's. */
export function outputSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'clew demo, run, record, fix, view, show and export --json',
    definitions: DEFINITIONS,
    oneOf: [
      answer(
        'requests',
        'clew show --json',
        {
          requests: list(ref('request')),
          total: whole,
          outside: { ...whole, description: 'Left out: operations outside of any request.' },
        },
        ['outside'],
      ),
      answer('trace', 'clew show --trace TRACE --json: the shape of a trace', {
        request: ref('request'),
        tree: list(ref('node')),
        nodesOmitted: whole,
        warnings: list(text),
        findings: list(object({ name: text, summary: text, place: text }, ['place'])),
        next: text,
      }),
      answer('span', 'clew show --trace TRACE --span ID --json', { traceId: text, span: SPAN }),
      answer('view', 'clew view --json', { pageUrl: text, otlpUrl: text, forwardTo: text }, [
        'otlpUrl',
        'forwardTo',
      ]),
      answer('export', 'clew export --out FILE --json, clew view --html FILE --json', {
        format: { enum: ['otlp-json', 'jaeger-json', 'perfetto', 'html'] },
        file: text,
        traces: whole,
        bytes: whole,
      }),
      answer(
        'run',
        'clew run --json, when the application has ended',
        {
          ...ENDED,
          seconds: number,
          pageUrl: text,
          requests: whole,
          names: list(
            object(
              {
                name: text,
                count: whole,
                totalMs: number,
                maxMs: number,
                parts: ref('parts'),
                failed: {
                  ...whole,
                  description: 'Those with an error or a status of 500 or more.',
                },
              },
              ['failed'],
            ),
          ),
          otherRequests: { ...whole, description: 'Of names that had no room.' },
          slowest: list(
            object(
              {
                name: text,
                traceId: text,
                startMs: number,
                durationMs: number,
                parts: ref('parts'),
                blockedBy: ref('blocker'),
                statusCode: whole,
                failed: { const: true },
              },
              ['traceId', 'blockedBy', 'statusCode', 'failed'],
            ),
          ),
        },
        ['exitCode', 'signal', 'pageUrl'],
      ),
      answer(
        'record',
        'clew record --json',
        { ...ENDED, pid: whole, recordings: list(RECORDING) },
        ['exitCode', 'signal', 'pid'],
      ),
      answer('level', 'clew record --pid PID --level LEVEL --json', {
        pid: whole,
        now: LEVEL,
        before: LEVEL,
      }),
      answer('convert', 'clew record --convert FORMAT file.clew --out FILE --json', {
        format: { enum: Object.keys(CONVERSIONS) },
        file: text,
        bytes: whole,
      }),
      answer('sign', 'clew record --sign REQUEST --json', { header: text, value: text }),
      answer(
        'demo',
        'clew demo --json',
        {
          scenes: list(object({ title: text, requests: list(ref('request')) })),
          traces: whole,
          spans: whole,
          faults: { ...whole, description: 'Lost parents, missing traces, a refusal.' },
          sentTo: { ...text, description: 'The collector that has the spans, too.' },
          refused: text,
        },
        ['sentTo', 'refused'],
      ),
      answer(
        'fix',
        'clew fix N --json',
        {
          finding: object({ number: whole, name: text, summary: text }),
          attempts: list(
            object(
              {
                rule: RULE,
                result: { enum: ['repaired', 'not repaired', 'not tried'] },
                text,
              },
              ['text'],
            ),
          ),
          repaired: flag,
          file: { ...text, description: 'Where the rule is now.' },
          text: { ...text, description: 'What --check found.' },
          change: object(
            { file: text, line: whole, text, names: list(text) },
            ['file', 'line', 'names'],
            'A change by hand.',
          ),
        },
        ['file', 'text', 'change'],
      ),
    ],
  };
}
