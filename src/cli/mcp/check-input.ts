import { ClewError, optionError } from '../../base/errors.ts';
import { plainText } from '../../base/plain-text.ts';

/** One input of a tool, in the words of JSON Schema. */
export type InputSchema = { description: string } & (
  | { type: 'string' }
  | { type: 'integer'; minimum: number; maximum: number }
  | { enum: readonly string[] }
);

/** The inputs of a tool. */
export interface InputsSchema {
  type: 'object';
  properties: Record<string, InputSchema>;
  required: string[];
  additionalProperties: false;
}

/** `ERR_OPTION` that names the first input that is missing, unknown, or not as its schema says. */
export function checkInput(
  { properties, required }: InputsSchema,
  input: Readonly<Record<string, unknown>>,
): void {
  const names = Object.keys(properties);
  for (const name of Object.keys(input)) {
    if (names.includes(name)) continue;
    const has = names.length > 0 ? `has ${names.join(', ')}` : 'has no inputs';
    throw new ClewError(
      'ERR_OPTION',
      `There is no input \`${plainText(name, 40)}\`: the tool ${has}.`,
    );
  }
  for (const [name, schema] of Object.entries(properties)) {
    const value = input[name];
    if (value === undefined && !required.includes(name)) continue;
    if (!isValid(schema, value)) throw optionError(name, expectedOf(schema), value);
  }
}

function isValid(schema: InputSchema, value: unknown): boolean {
  if ('enum' in schema) return typeof value === 'string' && schema.enum.includes(value);
  if (schema.type === 'string') return typeof value === 'string';
  const { minimum, maximum } = schema;
  return Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum;
}

function expectedOf(schema: InputSchema): string {
  if ('enum' in schema) return `one of ${schema.enum.join(', ')}`;
  if (schema.type === 'string') return 'a text';
  return `a whole number from ${schema.minimum} to ${schema.maximum}`;
}
