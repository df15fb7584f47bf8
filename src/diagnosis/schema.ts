import { FINDINGS } from './finding.ts';

export const SCHEMA_ID = 'clew/clew.findings.schema.json';

const text = { type: 'string' };
const whole = { type: 'integer', minimum: 0 };
const PLACE = { file: text, line: whole, column: whole, function: text, code: text };
const object = (
  properties: Record<string, object>,
  optional: readonly string[] = [],
  description?: string,
): object => ({
  type: 'object',
  ...(description ? { description } : {}),
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
const place = (description: string): object => object(PLACE, ['function', 'code'], description);

const RULE = object({
  module: text,
  path: text,
  rule: {
    oneOf: [text, { type: 'object', properties: { kind: text }, required: ['kind'] }],
  },
});

const FIX = object(
  {
    rules: {
      type: 'array',
      description: 'Rules to try in clew.rules.json, the likeliest first.',
      items: RULE,
    },
    change: object(
      {
        file: text,
        line: whole,
        text,
        names: {
          type: 'array',
          description: 'The functions to bind at that line, where it keeps them.',
          items: text,
        },
      },
      ['file', 'line', 'names'],
      'A change by hand.',
    ),
    setup: {
      ...text,
      description: 'How to start the application, so that nothing else has to be changed.',
    },
    command: { ...text, description: 'Writes the rule and proves it by running again.' },
    check: { ...text, description: 'Runs again after the change, and reports whether it helped.' },
  },
  ['change', 'setup', 'command', 'check'],
);

const FINDING = object(
  {
    number: { type: 'integer', minimum: 1 },
    name: { enum: Object.keys(FINDINGS) },
    kind: { enum: ['lost', 'mixed', 'stale', 'batched', 'inactive', 'setup'] },
    certainty: { enum: ['proven', 'likely', 'possible'] },
    note: { type: 'boolean', description: 'It breaks nothing; the exit status ignores it.' },
    count: whole,
    brokenSpans: whole,
    summary: text,
    yourLine: place('The line of the application whose work lost its parent.'),
    also: {
      type: 'array',
      description: 'Further lines with the same cause, which the same change repairs.',
      items: object(PLACE, ['function', 'code']),
    },
    resource: object(
      {
        type: text,
        asyncId: whole,
        born: place('Where the async resource was created.'),
        bornIn: { ...text, description: 'The request that created it; absent: none did.' },
        bornInAnother: {
          type: 'boolean',
          description: 'That request is not the owner, though it has its label.',
        },
        older: {
          type: 'boolean',
          description: 'True if it was created before the doctor started.',
        },
        repeating: { type: 'boolean' },
      },
      ['born', 'bornIn', 'bornInAnother', 'older'],
      'The async resource in whose callback it ran.',
    ),
    context: object(
      {
        of: { ...text, description: 'The request it belongs to; absent if none.' },
        ofAnother: {
          type: 'boolean',
          description: 'That request is not the owner, though it has its label.',
        },
        how: { enum: ['activated', 'started'] },
        place: place('Where it was activated, or where its span was started.'),
        by: { enum: ['application', 'package', 'tool'] },
        package: text,
        millisBefore: { type: 'number', description: 'Milliseconds from there to the loss.' },
      },
      ['of', 'ofAnother', 'package'],
      'The context that was active, where it is another one than that of the owner.',
    ),
    handOver: object(
      { ...PLACE, by: { enum: ['package', 'application', 'node'] }, package: text },
      ['function', 'code', 'package'],
      'The line that kept the callback and called it later.',
    ),
    owner: object(
      {
        label: text,
        count: whole,
        evidence: text,
        others: {
          type: 'object',
          description: 'Other requests that it belongs to, with how often.',
          additionalProperties: whole,
        },
      },
      ['others'],
      'The request it belongs to, and why.',
    ),
    fix: FIX,
    docs: text,
  },
  ['yourLine', 'also', 'resource', 'context', 'handOver', 'owner'],
);

/** The JSON schema of what `clew doctor --json` prints. */
export function findingsSchema(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'clew doctor --json',
    description: 'Context losses that clew doctor found, most damage first.',
    ...object(
      {
        $schema: text,
        version: { const: 1 },
        requests: whole,
        routes: {
          type: 'object',
          description:
            'Requests by name, at most 500 names: by route where it is known, and by path.',
          additionalProperties: whole,
        },
        spans: whole,
        millis: { type: 'number', minimum: 0 },
        findings: { type: 'array', items: FINDING },
        rules: { ...text, description: 'The file of rules that the doctor applied; absent: none.' },
        dropped: { ...whole, description: 'Observations beyond the bounds, in number or in time.' },
      },
      ['rules'],
    ),
  };
}
