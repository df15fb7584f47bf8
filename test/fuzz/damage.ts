import fc from 'fast-check';

/*
 * Sound input, damaged: most of it stays as it was, so that a parser reads far into it. Edits are
 * lists, so that fast-check shrinks what fails to the one edit that matters.
 */

/** Repeating a piece ends at this length, where anything quadratic shows. */
const MAX_LENGTH = 128 * 1024;

interface Edit {
  how: 'replace' | 'insert' | 'delete' | 'repeat' | 'copy' | 'cut';
  at: number;
  length: number;
  text: string;
}

const EDGES = [
  '\0',
  '\u007f',
  '\u0080',
  '\u00ff',
  '\u009b',
  '\u001b[2J',
  '"',
  '\\',
  '\n',
  '{',
  '[',
];

const editsWith = (tokens: readonly string[]): fc.Arbitrary<Edit[]> => {
  const text = fc.oneof(
    fc.constantFrom(...EDGES, ...tokens),
    fc.nat(255).map((code) => String.fromCharCode(code)),
  );
  const edit: fc.Arbitrary<Edit> = fc.record({
    how: fc.constantFrom('replace', 'insert', 'delete', 'repeat', 'copy', 'cut'),
    at: fc.nat(1 << 20),
    length: fc.oneof({ weight: 4, arbitrary: fc.nat(8) }, fc.nat(2000)),
    text,
  });
  return fc.array(edit, { maxLength: 6 });
};

function apply(input: string, { how, at, length, text }: Edit): string {
  const start = at % (input.length + 1);
  const head = input.slice(0, start);
  const piece = input.slice(start, start + length);
  const tail = input.slice(start + length);
  if (how === 'replace') return head + text + input.slice(start + text.length);
  if (how === 'insert') return head + text + piece + tail;
  if (how === 'delete') return head + tail;
  if (how === 'copy') return input + piece;
  if (how === 'cut') return head;
  const times = Math.floor((MAX_LENGTH - input.length) / Math.max(piece.length, 1));
  return head + piece.repeat(Math.max(0, Math.min(times, 1 << (text.charCodeAt(0) % 18)))) + tail;
}

/** One of `sources` with some of its text changed, `tokens` among what is put in. */
export function damagedText(
  sources: readonly string[],
  tokens: readonly string[] = [],
): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...sources), editsWith(tokens))
    .map(([source, edits]) => edits.reduce(apply, source));
}

/** The same for bytes. */
export function damagedBytes(sources: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const texts = sources.map((source) => source.toString('latin1'));
  return damagedText(texts).map((text) => Buffer.from(text, 'latin1'));
}

const deep = (depth: number): unknown => {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = i % 2 ? { values: [value] } : [value];
  return value;
};

const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  -(2 ** 53),
  1e21,
  [],
  {},
  [null],
  [[]],
  [0],
  deep(300),
  '',
  ' ',
  '0',
  '-1',
  'NaN',
  'Infinity',
  '1e3',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\ud800',
  '\u001b[2J',
  '\u009b2J',
  '9'.repeat(19),
  '9'.repeat(400),
  'x'.repeat(5000),
  JSON.parse('{"__proto__": {"length": 1}, "constructor": 0}'),
];

interface Replacement {
  how: 'replace' | 'remove' | 'rename' | 'wrap' | 'repeat';
  at: number;
  value: unknown;
}

const REPLACEMENTS = fc.array(
  fc.record<Replacement>({
    how: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'rename', 'wrap', 'repeat'),
    at: fc.nat(1 << 16),
    value: fc.oneof(fc.constantFrom(...HOSTILE), fc.jsonValue({ maxDepth: 2 })),
  }),
  { maxLength: 4 },
);

type Container = Record<string, unknown>;

function places(value: unknown, found: [Container, string][] = []): [Container, string][] {
  if (typeof value !== 'object' || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value as Container, key]);
    places((value as Container)[key], found);
  }
  return found;
}

function replace(root: Container, { how, at, value }: Replacement): Container {
  const all = places(root);
  const place = all[at % Math.max(all.length, 1)];
  if (!place) return root;
  const [container, key] = place;
  const old = container[key];
  if (how === 'replace') container[key] = structuredClone(value);
  else if (how === 'remove') delete container[key];
  else if (how === 'wrap') container[key] = at % 2 ? [old] : { value: old };
  else if (how === 'rename') {
    const name = typeof value === 'string' ? value : 'constructor';
    // Not by assignment, which would set the prototype.
    Object.defineProperty(container, name, {
      value: old,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else if (Array.isArray(container)) {
    for (let i = 0; i < 50; i++) container.push(structuredClone(old));
  }
  return root;
}

/** JSON of one of `sources` with some of its values changed, at times damaged as a text too. */
export function damagedJson(sources: readonly unknown[]): fc.Arbitrary<string> {
  const changed = fc
    .tuple(fc.constantFrom(...sources), REPLACEMENTS)
    .map(([source, edits]) =>
      JSON.stringify(edits.reduce(replace, structuredClone(source) as Container)),
    );
  const texts = sources.map((source) => JSON.stringify(source));
  return fc.oneof({ weight: 3, arbitrary: changed }, damagedText(texts, ['[', '{"a":', '1e999']));
}
