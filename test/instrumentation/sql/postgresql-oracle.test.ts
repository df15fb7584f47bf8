import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fingerprintSync, loadModule, parseSync, scanSync } from 'libpg-query';
import { describeSql } from '../../../src/instrumentation/sql/sql-text.ts';
import { readTokens } from '../../../src/instrumentation/sql/tokens.ts';
import { generate } from './generator.ts';
import { RUNS, SEED, summaryOf } from './properties.ts';

/*
 * PostgreSQL's own lexer and parser, compiled to WebAssembly, against ours.
 */

/** Where a literal or a quoted name begins and ends, in characters. */
type Range = [kind: 'literal' | 'name', start: number, end: number];

/** Its numbers for FCONST, SCONST, USCONST, BCONST, XCONST and ICONST. */
const LITERALS: ReadonlySet<number> = new Set([260, 261, 262, 263, 264, 266]);

/** What PostgreSQL's lexer finds, or `undefined` if it refuses the text. */
function rangesOfPostgres(text: string): Range[] | undefined {
  let tokens;
  try {
    tokens = scanSync(text).tokens;
  } catch {
    return undefined;
  }
  const bytes = Buffer.from(text);
  const at = (offset: number): number => bytes.subarray(0, offset).toString().length;
  const ranges: Range[] = [];
  for (const { start, end, tokenType } of tokens) {
    const [from, to] = [at(start), at(end)];
    const token = text.slice(from, to);
    if (LITERALS.has(tokenType)) ranges.push(['literal', from, to]);
    else if (/^(?:u&)?"/i.test(token)) ranges.push(['name', from, to]);
  }
  return ranges;
}

/** What ours finds; comments and white space too, which show nothing either. */
function rangesOfOurs(text: string): Range[] | undefined {
  const ranges: Range[] = [];
  let start = 0;
  const ending = readTokens(
    text,
    { dialect: 'postgresql', quotes: 'name' },
    {
      token(kind, _value, end) {
        if (kind === 'name') ranges.push(['name', start, end]);
        else if (kind === 'string' || kind === 'number' || kind === 'comment' || kind === 'space')
          ranges.push(['literal', start, end]);
        start = end;
      },
    },
  );
  return ending === 'whole' ? ranges : undefined;
}

/** The relations and procedures of a syntax tree, by their place in the text. */
function relationsOf(tree: unknown): string[] {
  const found: [number, string][] = [];
  const ctes = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node as Record<string, any>)) {
      if (key === 'ctename') ctes.add(value as string);
      if (key === 'RangeVar' || key === 'relation')
        found.push([value.location ?? 0, value.relname]);
      if (key === 'funccall')
        found.push([value.location ?? 0, value.funcname.at(-1).String.sval as string]);
      visit(value);
    }
  };
  visit(tree);
  return found
    .filter(([, name]) => !ctes.has(name))
    .sort(([a], [b]) => a - b)
    .map(([, name]) => name);
}

/** The last part of a name as the parser sees it. */
function bareName(part: string): string {
  const last = /"(?:[^"]|"")*"$|[^."]+$/.exec(part)![0];
  return last.startsWith('"') ? last.slice(1, -1).replaceAll('""', '"') : last.toLowerCase();
}

const VERBS = /^(?:select|insert|update|delete|create|table|call|commit|begin|rollback)$/i;
const FRAGMENTS = [
  "'",
  "''",
  '"',
  '""',
  '\\',
  "\\'",
  '$$',
  '$a$',
  '$1',
  '$',
  "E'",
  "e'",
  "U&'",
  'u&"',
  "B'",
  "x'",
  "N'",
  '--',
  '\n',
  '/*',
  '*/',
  '/',
  '*',
  '-',
  ' ',
  ';',
  ',',
  '(',
  ')',
  'a',
  'E',
  'b1',
  '1',
  '.',
  '5e3',
  '1e',
  '0x1F',
  '_',
  '::',
  ':',
  '=',
  '@',
  '?',
  '#',
  '|',
  'é',
  '\u{1f600}',
  '[',
  ']',
  '\t',
  '<=',
  '~',
  'U&',
  '&',
  '`',
];

describe(`PostgreSQL's own grammar as the oracle (SQL_SEED=${SEED})`, function () {
  this.timeout(120_000);
  before(async () => {
    await loadModule();
  });

  // A string may go on behind a line's end, with a comment between: to PostgreSQL that is one.
  it('finds every literal and quoted name in a soup of quotes, tags and comments', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 12 }), (fragments) => {
        const soup = fragments.join('');
        const ours = rangesOfOurs(soup);
        const theirs = ours && rangesOfPostgres(soup);
        if (!ours || !theirs) return;
        read++;
        for (const [kind, start, end] of theirs)
          for (let at = start; at < end; at++) {
            // In `b1.1` the dot is the number's to its lexer, and the name's to ours.
            if (kind === 'literal' && soup[at] === '.') continue;
            const found = ours.some(([as, from, to]) => as === kind && from <= at && at < to);
            assert.ok(found, `${soup}\n${kind} from ${start} to ${end}, ours: ${ours.join('; ')}`);
          }
      }),
      { seed: SEED, numRuns: RUNS },
    );
    assert.ok(read > RUNS * 0.1, `only ${read} soups were read by both`);
  });

  it('parses what is shown to the same tree, but for the literals', () => {
    let parsed = 0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120, size: 'max' }), (bytes) => {
        // To its parser +1 is an operation, and -1 a number.
        const { sql } = generate('postgresql', bytes, ['', '-']);
        // To its parser N'x' is a cast.
        if (sql.includes("N'zqx")) return;
        let fingerprint;
        try {
          fingerprint = fingerprintSync(sql);
        } catch {
          return;
        }
        parsed++;
        const { text } = describeSql(sql, 'postgresql');
        // `varchar(?)` has no place for a parameter; a number may stand anywhere.
        assert.equal(fingerprintSync(text!.replaceAll('?', '1')), fingerprint, `${sql}\n${text}`);
      }),
      { seed: SEED, numRuns: RUNS * 0.3 },
    );
    assert.ok(parsed > RUNS * 0.2, `only ${parsed} statements were valid`);
  });

  it('finds the same relations in the same order', () => {
    let parsed = 0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120, size: 'max' }), (bytes) => {
        const { sql, parts } = generate('postgresql', bytes);
        let tree;
        try {
          tree = parseSync(sql);
        } catch {
          return;
        }
        parsed++;
        const targets = parts.filter((part) => !VERBS.test(part)).map(bareName);
        assert.deepEqual(targets, relationsOf(tree), sql);
        assert.equal(describeSql(sql, 'postgresql').summary, summaryOf(parts));
      }),
      { seed: SEED, numRuns: RUNS * 0.3 },
    );
    assert.ok(parsed > RUNS * 0.2, `only ${parsed} statements were valid`);
  });
});
