import assert from 'node:assert/strict';

import { Ajv } from 'ajv';

import { outputSchema } from '../../../src/cli/output-schema.ts';

const validate = new Ajv({ allowUnionTypes: true }).compile(outputSchema());

/** What a command printed with `--json`: one line by the published schema, of at most 8 KB. */
// oxlint-disable-next-line typescript/no-explicit-any
export function answerIn(stdout: string): any {
  const [line = '', rest] = stdout.split('\n');
  assert.equal(rest ?? '', '', stdout);
  assert.ok(line.length < 8192, `${line.length} bytes`);
  const answer: unknown = JSON.parse(line);
  assert.ok(validate(answer), JSON.stringify(validate.errors));
  return answer;
}
