import {
  answer,
  flag,
  list,
  number,
  object,
  ref,
  SPAN,
  SPAN_KIND,
  text,
  TRACE_PARTS,
  whole,
  type Schema,
} from '../schema-parts.ts';

const TIMES: Schema = object({ count: whole, criticalMs: number, totalMs: number });
const OWN: Schema = object({ count: number, selfMs: number });

/** The schemas of what the tools of `clew mcp` answer; `list_requests` has that of `clew show`. */
export function mcpAnswers(): Schema[] {
  const tool = (name: string, rest: Schema, optional: string[] = []): Schema =>
    answer(name, `${name} of clew mcp`, rest, optional);
  return [
    tool(
      'why_slow',
      {
        ...TRACE_PARTS,
        typical: object(
          {
            requests: whole,
            durationMs: number,
            parts: ref('parts'),
            lostMost: list(
              object({ name: text, kind: SPAN_KIND, lostMs: number, here: OWN, typical: OWN }),
            ),
          },
          ['parts'],
          'The others of its name, by their medians, and where this one took longer.',
        ),
      },
      ['typical'],
    ),
    tool('what_it_waited_for', {
      request: ref('request'),
      criticalPath: list(
        object(
          { span: text, name: text, kind: SPAN_KIND, criticalMs: number, parts: ref('parts') },
          ['parts'],
        ),
      ),
      waitsForTheLoop: list(
        object({ of: text, ms: number, estimated: flag, heldBy: ref('blocker') }, ['heldBy']),
      ),
    }),
    tool('lost_parents', {
      findings: list(
        object(
          {
            name: text,
            kind: text,
            summary: text,
            count: whole,
            request: text,
            line: text,
            keptBy: text,
            fix: { type: 'object', additionalProperties: text },
            docs: text,
            spans: list(object({ traceId: text, spanId: text, name: text })),
          },
          ['request', 'line', 'keptBy', 'fix', 'docs'],
        ),
      ),
      omitted: whole,
      tracesWithMissingParents: list(text),
      next: text,
    }),
    tool('compare_requests', {
      a: ref('request'),
      b: ref('request'),
      differences: list(
        object({ name: text, kind: SPAN_KIND, a: TIMES, b: TIMES, moreMs: number }),
      ),
    }),
    tool('show_span', { span: SPAN }),
  ];
}
