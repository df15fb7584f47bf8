import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { marked, type Token, type Tokens } from 'marked';

export const ROOT: string = fileURLToPath(new URL('../../../../', import.meta.url));

/** A block of code in a document. */
export interface Block {
  language: string;
  text: string;
  /** Its file, where the first line is a comment that names one: `// app.mjs`, `# compose.yaml`. */
  file: string | undefined;
}

/** A heading of a document, with what stands below it and above the next heading. */
export interface Section {
  title: string;
  text: string;
  blocks: Block[];
}

/** The sections of a document of the repository, from the top. */
export function sectionsOf(page: string): Section[] {
  const sections: Section[] = [{ title: '', text: '', blocks: [] }];
  for (const token of marked.lexer(readFileSync(join(ROOT, page), 'utf8'))) {
    if (token.type === 'heading') {
      sections.push({ title: (token as Tokens.Heading).text, text: '', blocks: [] });
      continue;
    }
    const section = sections.at(-1)!;
    section.text += token.raw;
    section.blocks.push(...blocksOf([token]));
  }
  return sections;
}

/** The blocks of code among `tokens`, at any depth. */
export function blocksOf(tokens: Token[]): Block[] {
  const blocks: Block[] = [];
  void marked.walkTokens(tokens, (token) => {
    if (token.type !== 'code') return;
    const { lang = '', text } = token as Tokens.Code;
    const file = /^(?:\/\/|#) ((?:[\w.[\]-]+\/)*[\w.-]+)$/m.exec(text.split('\n')[0] ?? '')?.[1];
    blocks.push({ language: lang.split(' ')[0] ?? '', text, file });
  });
  return blocks;
}
