import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { transform } from 'esbuild';
import GithubSlugger from 'github-slugger';
import { load } from 'js-yaml';
import { marked, type Token, type Tokens } from 'marked';

import { exportedBy } from './documents/support/api.ts';

/*
 * Every document of the repository: its links lead somewhere, its tables are tables, its code can be
 * parsed, the commands, options, variables and exports it names exist. That generated parts are as
 * their generators write them is tested beside the generators; `documents/` runs the code of pages.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const TEMPLATES = new Set(['examples/async-hooks/guide.md']);
const FILES = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  // The template of docs/async-hooks.md has links that lead somewhere from there.
  .filter((file) => existsSync(join(ROOT, file)) && file.endsWith('.md') && !TEMPLATES.has(file));

/** Those that NestJS takes. */
const DECORATORS = { compilerOptions: { experimentalDecorators: true } };
/** The names that code of a document may import. */
const EXPORTED = new Set(
  Object.entries({ clew: 'index.d.ts', 'clew/testing': 'testing/index.d.ts' }).flatMap(
    ([module, entry]) => exportedBy(entry).map(({ name }) => `${module}: ${name}`),
  ),
);
/** All sources in one: what stands in none of them, the package does not read. */
const SOURCES = execFileSync('git', ['ls-files', 'src', 'test', 'benchmark'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.c?ts$/.test(file) && existsSync(join(ROOT, file)))
  .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  .join('\n');

interface Document {
  text: string;
  tokens: Token[];
  anchors: Set<string>;
}
const documents = new Map<string, Document>();

describe('documents', () => {
  for (const file of FILES) {
    describe(file, () => {
      it('has links that lead somewhere', () => {
        const broken = linksOf(read(file).tokens).filter((href) => !leadsSomewhere(file, href));
        assert.deepEqual(broken, []);
      });

      it('has tables whose rows have as many cells as their head', () => {
        const { tokens } = read(file);
        assert.deepEqual(brokenTables(tokens), []);
      });

      it('has code that can be parsed', async () => {
        for (const { lang = '', text } of ofType<Tokens.Code>(read(file).tokens, 'code')) {
          await parse(lang.split(' ')[0] ?? '', text);
        }
      });

      it('closes the generated parts that it begins, each of which a program writes', () => {
        const marks = [...read(file).text.matchAll(/<!-- (begin|end) ([\w-]+) -->/g)];
        const open: string[] = [];
        for (const [, mark, name] of marks) {
          if (mark === 'begin') open.push(name!);
          else assert.equal(open.pop(), name);
          assert.ok(SOURCES.includes(`'${name}'`), name);
        }
        assert.deepEqual(open, []);
      });

      // What a release removed is in the history of changes still.
      if (file === 'CHANGELOG.md') return;

      it('names commands that exist', () => {
        const { text } = read(file);
        const named = [...text.matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name]) => name!);
        assert.deepEqual(
          named.filter((name) => !(name in MANIFEST.scripts)),
          [],
        );
      });

      it('names files that exist', () => {
        const named = [
          ...read(file).text.matchAll(/`((?:test|src|benchmark|docs|examples)\/[^\s`*<]+)`/g),
        ];
        assert.deepEqual(
          named.map(([, path]) => path!).filter((path) => !existsSync(join(ROOT, path))),
          [],
        );
      });

      it('imports what the package exports', () => {
        const imported = ofType<Tokens.Code>(read(file).tokens, 'code').flatMap(importsOf);
        assert.deepEqual(
          imported.filter((name) => !EXPORTED.has(name)),
          [],
        );
      });

      it('names variables and options that the package reads', () => {
        const { text } = read(file);
        const variables = [...text.matchAll(/\bCLEW_[A-Z_]+[A-Z]\b/g)].map(([name]) => name);
        assert.deepEqual(
          [...variables, ...optionsOf(text)].filter((name) => !isInSources(name)),
          [],
        );
      });
    });
  }

  it('begin with a README of five tables at most', () => {
    const tables = ofType<Tokens.Table>(read('README.md').tokens, 'table');
    assert.ok(tables.length <= 5, `${tables.length} tables`);
  });

  it('are distinguished from broken ones', async () => {
    const lexed = marked.lexer('| a | b |\n| - | - |\n| 1 |\n\ntext\n| no | table |\n');
    assert.equal(brokenTables(lexed).length, 2);
    assert.deepEqual(optionsOf('`clew doctor --json app.js`'), ['--json']);
    assert.equal(isInSources(['CLEW', 'NOWHERE'].join('_')), false);
    assert.equal(leadsSomewhere('README.md', 'docs/nowhere.md'), false);
    assert.equal(leadsSomewhere('README.md', 'docs/export.md#nowhere'), false);
    await assert.rejects(parse('js', 'const = 1'));
    await assert.rejects(parse('json', '{ a }'));
    await assert.rejects(parse('sh', 'if true'));
    await assert.rejects(parse('yaml', 'a: [1'));
    const [code] = ofType<Tokens.Code>(
      marked.lexer("```js\nimport { no } from 'clew';\n```"),
      'code',
    );
    assert.ok(code);
    assert.deepEqual(importsOf(code), ['clew: no']);
    assert.equal(EXPORTED.has('clew: no'), false);
  });
});

function read(file: string): Document {
  const known = documents.get(file);
  if (known) return known;
  const text = readFileSync(join(ROOT, file), 'utf8');
  const tokens = marked.lexer(text);
  const slugger = new GithubSlugger();
  const headings = ofType<Tokens.Heading>(tokens, 'heading');
  const anchors = new Set(headings.map((heading) => slugger.slug(plain(heading.tokens))));
  for (const [, id] of text.matchAll(/<a id="([^"]+)">/g)) anchors.add(id!);
  const document = { text, tokens, anchors };
  documents.set(file, document);
  return document;
}

/** What a block of code imports from the package, each as `module: name`. */
function importsOf({ text }: Tokens.Code): string[] {
  const found = text.matchAll(/import (?:type )?\{([^}]*)\} from '(clew(?:\/\w+)?)'/g);
  return [...found].flatMap(([, names = '', module]) =>
    names
      .split(',')
      .map((name) =>
        name
          .trim()
          .replace(/^type /, '')
          .replace(/ as .*/, ''),
      )
      .filter((name) => name !== '')
      .map((name) => `${module}: ${name}`),
  );
}

/** The options that follow a command of `clew`, in its line or its code. */
function optionsOf(text: string): string[] {
  const commands = text.matchAll(/\bclew (?:[a-z]+)\b[^`|\n#]*/g);
  return [...commands].flatMap(([command]) =>
    [...command.matchAll(/\s(--[a-z][a-z-]*)/g)].map(([, option]) => option!),
  );
}

/** Whether a variable, or an option such as `--for`, stands in the sources as a whole. */
function isInSources(name: string): boolean {
  return new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(SOURCES);
}

/** All tokens of a type, at any depth. */
function ofType<T extends Token>(tokens: Token[], type: T['type']): T[] {
  const found: T[] = [];
  void marked.walkTokens(tokens, (token) => {
    if (token.type === type) found.push(token as T);
  });
  return found;
}

/** The text of a heading, as its anchor is made of. */
function plain(tokens: Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens ? plain(token.tokens) : 'text' in token ? token.text : '',
    )
    .join('');
}

function linksOf(tokens: Token[]): string[] {
  return [...ofType<Tokens.Link>(tokens, 'link'), ...ofType<Tokens.Image>(tokens, 'image')].map(
    ({ href }) => href,
  );
}

/** Whether a link within the repository has a target; others are not followed. */
function leadsSomewhere(file: string, href: string): boolean {
  if (/^[a-z]+:/.test(href)) return true;
  const [path = '', anchor] = decodeURI(href).split('#');
  const target = path === '' ? file : relative(ROOT, join(ROOT, dirname(file), path));
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || !target.endsWith('.md') || read(target).anchors.has(anchor);
}

/** Lines of tables with too many or too few cells, and of paragraphs that were to be tables. */
function brokenTables(tokens: Token[]): string[] {
  const rows = ofType<Tokens.Table>(tokens, 'table').flatMap((table) =>
    table.raw
      .trim()
      .split('\n')
      .filter((line) => cellsOf(line) !== table.header.length),
  );
  const paragraphs = ofType<Tokens.Paragraph>(tokens, 'paragraph').flatMap(({ raw }) =>
    raw.split('\n').filter((line) => /^\s*\|.*\|\s*$/.test(line)),
  );
  return [...rows, ...paragraphs];
}

function cellsOf(line: string): number {
  const row = line.trim().replace(/^\||\|$/g, '');
  return row.replaceAll(String.raw`\|`, '').split('|').length;
}

/** Rejects where `code` is not in its language. What stands for something else is written `...`. */
async function parse(language: string, code: string): Promise<void> {
  switch (language) {
    case 'js':
    case 'ts':
      await transform(code, { loader: 'ts', format: 'esm', tsconfigRaw: DECORATORS });
      return;
    case 'json':
      JSON.parse(code);
      return;
    case 'yaml':
      load(code);
      return;
    case 'sh': {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      return;
    }
    default:
  }
}
