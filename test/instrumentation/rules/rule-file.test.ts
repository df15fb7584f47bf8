import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Ajv } from 'ajv';

import { ClewError } from '../../../src/base/errors.ts';
import {
  findRuleFile,
  parseRules,
  readRuleFile,
} from '../../../src/instrumentation/rules/rule-file.ts';
import { ruleFileSchema } from '../../../src/instrumentation/rules/schema.ts';

const file = (rules: unknown): string => JSON.stringify({ rules }, undefined, 2);

/** Rules and the first words of what is said about them. */
const MISTAKES: [title: string, text: string, message: RegExp][] = [
  ['text that is not JSON', '{\n  "rules": {\n    oops\n  }\n}', /^rules\.json:3: not JSON/],
  ['an empty file', '', /^rules\.json:1: not JSON/],
  ['a file without rules', '{}', /^rules\.json:1: Expected an object with `rules`/],
  ['rules that are a list', file([]), /^rules\.json:2: Expected the rules to be an object/],
  ['a module without paths', file({ pg: 'args' }), /^rules\.json:3: Expected `pg` to be an object/],
  [
    'an unknown kind',
    file({ pg: { 'Client#query': 'argz' } }),
    /^rules\.json:4: Expected the rule `pg` `Client#query` to be one of the kinds args, .* got `argz`/,
  ],
  [
    'an option of another kind',
    file({ pg: { 'Client#query': { kind: 'args', worker: 0 } } }),
    /^rules\.json:6: the rule `pg` `Client#query` has an option `worker` that args does not have \(type, emits, argument\)/,
  ],
  [
    'an option of the wrong type',
    file({ pg: { 'Client#query': { kind: 'args', argument: 'first' } } }),
    /^rules\.json:6: Expected `argument` of the rule `pg` `Client#query` to be an integer or a list/,
  ],
  [
    'a config without arguments',
    file({ bluebird: { 'default.config': { kind: 'config' } } }),
    /^rules\.json:4: Expected `arguments` of the rule `bluebird` `default\.config` to be a list/,
  ],
  ['a path that is none', file({ pg: { 'a b': 'args' } }), /^rules\.json:4: .* a path such as/],
];

/** Mistakes that a JSON schema has no words for. */
const BEYOND_THE_SCHEMA = new Set([
  'text that is not JSON',
  'an empty file',
  'a path that is none',
]);

describe('rule files', () => {
  it('read a kind, a kind with options and a list of both', () => {
    const text = `{
      // comments are welcome
      "$schema": "./node_modules/clew/clew.rules.schema.json",
      "rules": {
        "my-pool@^2": { "Pool#acquire|use": "args" },
        "@scope/queue": {
          "create()#push": { "kind": "task", "worker": 0 },
          "Bus#": ["emitter"],
          "lib.config": { "kind": "config", "arguments": [1] },
        },
      },
    }`;
    assert.deepEqual(parseRules(text, 'rules.json'), [
      {
        module: 'my-pool',
        versions: '^2',
        rules: [{ kind: 'args', on: 'Pool#', method: ['acquire', 'use'], module: 'my-pool' }],
      },
      {
        module: '@scope/queue',
        versions: '*',
        rules: [
          { kind: 'task', worker: 0, on: 'create()', method: ['push'], module: '@scope/queue' },
          { kind: 'emitter', on: 'Bus#', module: '@scope/queue' },
          {
            kind: 'config',
            arguments: [1],
            on: 'lib',
            method: ['config'],
            module: '@scope/queue',
          },
        ],
      },
    ]);
  });

  for (const [title, text, message] of MISTAKES) {
    it(`name the rule and the line of ${title}`, () => {
      assert.throws(
        () => parseRules(text, 'rules.json'),
        (error: unknown) => {
          assert.ok(error instanceof ClewError);
          assert.equal(error.code, 'ERR_RULE');
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('are found in the working directory when they are there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-rules-'));
    try {
      assert.equal(findRuleFile(folder), undefined);
      const path = join(folder, 'clew.rules.json');
      writeFileSync(path, file({ pg: { 'Client#query': 'args' } }));
      assert.equal(findRuleFile(folder), path);
      assert.equal(readRuleFile(path)[0]?.module, 'pg');
      assert.throws(() => readRuleFile(join(folder, 'missing.json')), /Cannot read the rules in/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  describe('and their JSON schema', () => {
    const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(ruleFileSchema());

    for (const [title, text] of MISTAKES) {
      if (BEYOND_THE_SCHEMA.has(title)) continue;
      it(`refuse ${title}`, () => assert.equal(validate(JSON.parse(text)), false));
    }

    it('accept what the reader accepts', () => {
      const rules = {
        a: { 'Pool#acquire': 'args', 'x()#y': [{ kind: 'task', worker: 0, front: ['z'] }] },
        b: { 'c.config': { kind: 'config', arguments: [], undoArguments: [1] } },
        c: { 'D#': { kind: 'emitter', events: 'one', listener: 0, remove: ['off'] } },
        d: { e: { kind: 'root', leave: 'trace' }, f: 'latest', g: 'iterator', h: 'handler' },
      };
      assert.equal(parseRules(file(rules), 'rules.json').length, 4);
      assert.equal(validate({ rules }), true, JSON.stringify(validate.errors));
    });
  });
});
