import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { marked, type Tokens } from 'marked';

import { ROOT } from './page.ts';

/*
 * Makes llms.txt, the index of the documents for programs (llmstxt.org), of docs/README.md, the one for
 * people: the same sections, links and descriptions, with paths from the root of the package.
 */

/** A page as the index lists it. */
interface Entry {
  title: string;
  path: string;
  description: string;
}

interface Group {
  title: string;
  entries: Entry[];
}

/** The groups of docs/README.md, each a heading with a list of links. */
export function indexOfDocuments(): Group[] {
  const groups: Group[] = [];
  for (const token of marked.lexer(readFileSync(join(ROOT, 'docs/README.md'), 'utf8'))) {
    if (token.type === 'heading' && (token as Tokens.Heading).depth === 2) {
      groups.push({ title: (token as Tokens.Heading).text, entries: [] });
    } else if (token.type === 'list') {
      groups.at(-1)?.entries.push(...(token as Tokens.List).items.map(entryOf));
    }
  }
  return groups;
}

/** The pages in docs/, but for the index. */
export function pages(): string[] {
  return readdirSync(join(ROOT, 'docs')).filter(
    (file) => file.endsWith('.md') && file !== 'README.md',
  );
}

export function llmsText(): string {
  const { description } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    description: string;
  };
  const start =
    'Start with `npm i clew` and `node --import clew/register app.js`. Every page below is Markdown and' +
    ' is part of the npm package; paths are those inside it. Code on these pages is tested.';
  const groups = indexOfDocuments().map(({ title, entries }) =>
    [`## ${title}`, '', ...entries.map(lineOf)].join('\n'),
  );
  return `${['# clew', `> ${description}`, start, ...groups].join('\n\n')}\n`;
}

function entryOf({ text }: Tokens.ListItem): Entry {
  const [, title, path, description] = /^\[([^\]]+)\]\(([^)]+)\): ([\s\S]+)$/.exec(text) ?? [];
  if (title === undefined || path === undefined || description === undefined) {
    throw new Error(
      `docs/README.md has an entry that is not "[title](page): description": ${text}`,
    );
  }
  return { title, path, description: description.replaceAll(/\s+/g, ' ').trim() };
}

function lineOf({ title, path, description }: Entry): string {
  return `- [${title}](${join('docs', path)}): ${description}`;
}
