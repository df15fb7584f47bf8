import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Node, ParseError } from 'jsonc-parser';

import { ClewError, messageOf } from '../../base/errors.ts';
import { readRuleSet, type ModuleRules } from './rule-set.ts';

/** The file that is read from the working directory when it is there. */
export const RULE_FILE = 'clew.rules.json';

/**
 * Reads a file of rules: `{ "$schema": …, "rules": { … } }`, with comments if wanted. A mistake is
 * an `ERR_RULE` whose message begins with the file and the line.
 */
export function readRuleFile(file: string): ModuleRules[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ClewError('ERR_RULE', `Cannot read the rules in ${file}: ${messageOf(error)}`);
  }
  return parseRules(text, file);
}

/** The rules of `clew.rules.json` in `folder`, or none. */
export function findRuleFile(folder: string): string | undefined {
  const file = `${folder}/${RULE_FILE}`;
  return existsSync(file) ? file : undefined;
}

/** Required where there is a file to read: bundlers cannot see the parser's parts. */
function loadParser(): typeof import('jsonc-parser') {
  return createRequire(import.meta.url)('jsonc-parser') as typeof import('jsonc-parser');
}

/** Reads the text of a file of rules. @internal */
export function parseRules(text: string, file: string): ModuleRules[] {
  const { findNodeAtLocation, parseTree, printParseErrorCode } = loadParser();
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    // The parser calls itself for each level.
    if (!(error instanceof RangeError)) throw error;
    throw new ClewError('ERR_RULE', `${file}:1: not JSON of rules: it is nested too deeply.`);
  }
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length;
  const [first] = errors;
  if (first || !root) {
    const line = lineAt(first?.offset ?? 0);
    const problem = first ? printParseErrorCode(first.error) : 'the file is empty';
    throw new ClewError('ERR_RULE', `${file}:${line}: not JSON: ${problem}.`);
  }
  const rules = findNodeAtLocation(root, ['rules']);
  if (!rules) throw new ClewError('ERR_RULE', `${file}:1: Expected an object with \`rules\`.`);
  return readRuleSet(valueOf(rules), (path) => {
    for (let length = path.length; length > 0; length--) {
      const node = findNodeAtLocation(rules, path.slice(0, length));
      if (node) return `${file}:${lineAt(node.parent?.offset ?? node.offset)}`;
    }
    return `${file}:${lineAt(rules.offset)}`;
  });
}

function valueOf(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(valueOf);
  if (node.type !== 'object') return node.value as unknown;
  const entries = (node.children ?? []).map(({ children: [key, value] = [] }) => [
    key?.value as string,
    value && valueOf(value),
  ]);
  return Object.fromEntries(entries) as unknown;
}
