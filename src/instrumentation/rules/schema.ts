import { RULE_KINDS } from '../wrap/rule.ts';
import { optionsOf, type OptionType } from './rule-set.ts';

const TYPES: Readonly<Record<OptionType, object>> = {
  integer: { type: 'integer' },
  integers: { oneOf: [{ type: 'integer' }, { type: 'array', items: { type: 'integer' } }] },
  string: { type: 'string' },
  strings: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  boolean: { type: 'boolean' },
  array: { type: 'array' },
  'root or trace': { enum: ['root', 'trace'] },
  'lost or always': { enum: ['lost', 'always'] },
};

/** The JSON schema of `clew.rules.json`, made of the table that the reader checks against. */
export function ruleFileSchema(): object {
  const ruleObjects = RULE_KINDS.map((kind) => ({
    type: 'object',
    properties: {
      kind: { const: kind },
      ...Object.fromEntries(
        Object.entries(optionsOf(kind)).map(([option, type]) => [option, TYPES[type]]),
      ),
    },
    required: kind === 'config' ? ['kind', 'arguments'] : ['kind'],
    additionalProperties: false,
  }));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'clew.rules.json',
    description: "Rules that run a library's work in the context of its callers.",
    type: 'object',
    properties: {
      $schema: { type: 'string' },
      rules: {
        description: 'Modules, as `name` or `name@range`; a file of a package as `name/path`.',
        type: 'object',
        additionalProperties: {
          description: 'Paths inside the exports: `Pool#acquire`, `createQueue()#push`, `default`.',
          type: 'object',
          additionalProperties: {
            oneOf: [
              { $ref: '#/definitions/rule' },
              { type: 'array', items: { $ref: '#/definitions/rule' } },
            ],
          },
        },
      },
    },
    required: ['rules'],
    definitions: {
      rule: { oneOf: [{ enum: RULE_KINDS.filter((kind) => kind !== 'config') }, ...ruleObjects] },
    },
  };
}
