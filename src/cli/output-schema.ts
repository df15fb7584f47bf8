/*
 * The JSON schema of what commands print with `--json`, and of what `clew mcp` answers; the doctor's has a schema of its own (`diagnosis/schema.ts`). `clew.output.schema.json` is this, and a test compares.
 */

import { TRACER_LEVELS } from '../tracer/record.ts';
import { CONVERSIONS } from '../tracer/recording/convert.ts';
import { mcpAnswers } from './mcp/answer-schema.ts';
import {
  answer,
  DEFINITIONS,
  flag,
  list,
  number,
  object,
  ref,
  SPAN,
  text,
  TRACE_PARTS,
  whole,
  type Schema,
} from './schema-parts.ts';

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

/** The schema of every `--json` but the doctor's, and of the tools of `clew mcp`. */
export function outputSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'clew demo, run, record, fix, view, show and export --json, and the answers of clew mcp',
    definitions: DEFINITIONS,
    oneOf: [
      answer(
        'requests',
        'clew show --json, list_requests of clew mcp',
        {
          requests: list(ref('request')),
          total: whole,
          outside: { ...whole, description: 'Left out: operations outside of any request.' },
        },
        ['outside'],
      ),
      answer('trace', 'clew show --trace TRACE --json: the shape of a trace', TRACE_PARTS),
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
          endedProcess: list(
            object(
              { name: text, traceId: text, failed: { const: true } },
              ['traceId', 'failed'],
              'A request in which its process ended: by an uncaught exception or process.exit().',
            ),
          ),
        },
        ['exitCode', 'signal', 'pageUrl', 'endedProcess'],
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
      ...mcpAnswers(),
    ],
  };
}
