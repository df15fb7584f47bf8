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
    change: object({ file: text, line: whole, text }, ['file', 'line'], 'A change by hand.'),
    command: { ...text, description: 'Writes the rule and proves it by running again.' },
  },
  ['change', 'command'],
);

const FINDING = object(
  {
    number: { type: 'integer', minimum: 1 },
    name: { enum: Object.keys(FINDINGS) },
    kind: { enum: ['lost', 'mixed', 'stale', 'batched', 'inactive', 'setup'] },
    certainty: { enum: ['proven', 'likely', 'possible'] },
    note: { type: 'boolean', description: 'Nothing is broken by it; the exit status ignores it.' },
    count: whole,
    brokenSpans: whole,
    summary: text,
    yourLine: place('The line of the application whose work lost its parent.'),
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
        repeating: { type: 'boolean' },
      },
      ['born', 'bornIn', 'bornInAnother'],
      'The async resource in whose callback it ran.',
    ),
    handOver: object(
      { ...PLACE, by: { enum: ['package', 'application', 'node'] }, package: text },
      ['function', 'code', 'package'],
      'The line that kept the callback and called it later.',
    ),
    owner: object(
      { label: text, count: whole, evidence: text },
      [],
      'The request it belongs to, and why.',
    ),
    fix: FIX,
    docs: text,
  },
  ['yourLine', 'resource', 'handOver', 'owner'],
);

/** The JSON schema of what `clew doctor --json` prints. */
export function findingsSchema(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'clew doctor --json',
    description: 'Context losses that clew doctor found, most damage first.',
    ...object({
      $schema: text,
      version: { const: 1 },
      requests: whole,
      spans: whole,
      millis: { type: 'number', minimum: 0 },
      findings: { type: 'array', items: FINDING },
      dropped: { ...whole, description: 'Observations beyond the bounds, in number or in time.' },
    }),
  };
}
