import { ClewError, describeValue } from '../../base/errors.ts';
import { plainText } from '../../base/plain-text.ts';
import { parsePath } from '../wrap/path.ts';
import { RULE_KINDS, type Rule, type RuleKind } from '../wrap/rule.ts';

/*
 * Rules as data. A rule set maps a module, with its versions, to paths inside its exports, and
 * each path to a kind, to a kind with options, or to a list of these:
 *
 *     { "my-pool@^2": { "Pool#acquire": "args", "createQueue()#push": { "kind": "task", … } } }
 */

/** A rule as data: the kind alone, or the kind and its options. */
export type RuleData = RuleKind | ({ kind: RuleKind } & Record<string, unknown>);

/** Maps modules (`name@range`) to paths, and paths to rules. */
export type RuleSet = Readonly<
  Record<string, Readonly<Record<string, RuleData | readonly RuleData[]>>>
>;

/** The rules of one module, ready to be applied. */
export interface ModuleRules {
  module: string;
  versions: string;
  rules: Rule[];
}

/** What a rule may say beside its kind, and of which type. */
const RULE_OPTIONS: Readonly<Record<RuleKind, Readonly<Record<string, OptionType>>>> = {
  args: { argument: 'integers' },
  emitter: {
    events: 'strings',
    originalKey: 'string',
    when: 'lost or always',
    listener: 'integer',
    remove: 'strings',
    list: 'strings',
  },
  task: {
    argument: 'integer',
    worker: 'integer',
    enter: 'strings',
    front: 'strings',
    forget: 'strings',
    batch: 'boolean',
    spread: 'boolean',
    share: 'string',
  },
  handler: { argument: 'integer', unless: 'string' },
  root: { leave: 'root or trace' },
  latest: {},
  iterator: {},
  config: { arguments: 'array', undoArguments: 'array' },
};

/** What a rule of any kind may say. */
const COMMON: Readonly<Record<string, OptionType>> = {
  type: 'string',
  emits: 'boolean',
};

/** The options of a kind and the type of each. */
export const optionsOf = (kind: RuleKind): Readonly<Record<string, OptionType>> => ({
  ...COMMON,
  ...RULE_OPTIONS[kind],
});

export type OptionType =
  | 'integer'
  | 'integers'
  | 'string'
  | 'strings'
  | 'boolean'
  | 'array'
  | 'root or trace'
  | 'lost or always';

const CHECKS: Readonly<Record<OptionType, (value: unknown) => boolean>> = {
  integer: Number.isInteger,
  integers: (value) => [value].flat().every(Number.isInteger),
  string: (value) => typeof value === 'string',
  strings: (value) => [value].flat().every((each) => typeof each === 'string'),
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  'root or trace': (value) => value === 'root' || value === 'trace',
  'lost or always': (value) => value === 'lost' || value === 'always',
};

const EXPECTED: Readonly<Record<OptionType, string>> = {
  integer: 'an integer',
  integers: 'an integer or a list of them',
  string: 'a string',
  strings: 'a string or a list of them',
  boolean: 'true or false',
  array: 'a list',
  'root or trace': '`root` or `trace`',
  'lost or always': '`lost` or `always`',
};

/** As much of a name is shown in a message, in characters. */
const MAX_NAME = 120;

/** Where a rule stands, for messages: `clew.rules.json:7`. */
export type Locate = (path: readonly string[]) => string;

/** Reads a rule set; the first mistake is an `ERR_RULE` that names the rule and its place. */
export function readRuleSet(value: unknown, locate: Locate): ModuleRules[] {
  if (!isRecord(value)) {
    throw ruleError(locate([]), 'the rules', 'an object of modules', value);
  }
  return Object.entries(value).map(([key, paths]) => {
    const { module, versions } = parseModule(key);
    if (module === '') throw ruleError(locate([key]), 'the key', 'a module name', key);
    if (!isRecord(paths))
      throw ruleError(
        locate([key]),
        `\`${plainText(key, MAX_NAME)}\``,
        'an object of paths',
        paths,
      );
    // A path may have several rules: functions and objects of callbacks, say.
    const rules = Object.entries(paths).flatMap(([path, data]) =>
      [data]
        .flat()
        .map((each: unknown) =>
          readRule(module, path, each, (inner) => locate([key, path, ...inner])),
        ),
    );
    return { module, versions, rules };
  });
}

/** `name@range`; the `@` of a scope is not one. Without a range any version will do. */
function parseModule(key: string): { module: string; versions: string } {
  const at = key.indexOf('@', 1);
  return at === -1
    ? { module: key, versions: '*' }
    : { module: key.slice(0, at), versions: key.slice(at + 1) };
}

function readRule(module: string, path: string, data: unknown, locate: Locate): Rule {
  const name = `the rule \`${plainText(module, MAX_NAME)}\` \`${plainText(path, MAX_NAME)}\``;
  const options: Record<string, unknown> = isRecord(data) ? { ...data } : { kind: data };
  const { kind } = options;
  if (!isKind(kind)) {
    throw ruleError(locate([]), name, `one of the kinds ${RULE_KINDS.join(', ')}`, kind);
  }
  const allowed = optionsOf(kind);
  for (const [option, value] of Object.entries(options)) {
    if (option === 'kind') continue;
    const type = Object.hasOwn(allowed, option) ? allowed[option] : undefined;
    if (type === undefined) {
      const known = Object.keys(allowed).join(', ');
      throw new ClewError(
        'ERR_RULE',
        `${locate([option])}: ${name} has an option \`${plainText(option, MAX_NAME)}\` that ${kind} does not have (${known}).`,
      );
    }
    if (!CHECKS[type](value)) {
      throw ruleError(
        locate([option]),
        `\`${plainText(option, MAX_NAME)}\` of ${name}`,
        EXPECTED[type],
        value,
      );
    }
  }
  if (kind === 'config' && options['arguments'] === undefined) {
    throw ruleError(locate([]), `\`arguments\` of ${name}`, EXPECTED.array, undefined);
  }
  const target = splitPath(path, kind);
  if (!target) throw ruleError(locate([]), name, 'a path such as `Pool#acquire`', path);
  return { ...options, ...target, kind, module } as unknown as Rule;
}

const isKind = (value: unknown): value is RuleKind => RULE_KINDS.includes(value as RuleKind);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `Pool#a|b`, `create()#a`, `fn`, `a.b`: into where to go and which methods to take there. */
function splitPath(path: string, kind: RuleKind): { on?: string; method?: string[] } | undefined {
  const at = path.lastIndexOf('#');
  if (kind === 'config') return splitMember(path);
  // The last `#` belongs to the path where a call follows it: `Kafka#consumer()`.
  if (at === -1 || path.endsWith('()')) return parsePath(path) ? { on: path } : undefined;
  const left = path.slice(0, at);
  const method = path.slice(at + 1).split('|');
  const on = left.endsWith('()') ? left : `${left}#`;
  if (!parsePath(on)) return undefined;
  return method[0] === '' ? { on } : { on, method };
}

/** A function that is called as a method of what has it. */
function splitMember(path: string): { on?: string; method: string[] } | undefined {
  const names = path.split('.');
  const method = names.pop() ?? '';
  if (!parsePath(path)) return undefined;
  return { ...(names.length > 0 ? { on: names.join('.') } : {}), method: [method] };
}

function ruleError(where: string, what: string, expected: string, value: unknown): ClewError {
  return new ClewError(
    'ERR_RULE',
    `${where}: Expected ${what} to be ${expected}, got ${describeValue(value)}.`,
  );
}
