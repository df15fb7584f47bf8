import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

import { applyEdits, modify, parse } from 'jsonc-parser';

import type { ProposedRule } from '../diagnosis/finding.ts';

const EMPTY = '{\n  "$schema": "./node_modules/clew/clew.rules.schema.json",\n  "rules": {}\n}\n';
const FORMAT = { formattingOptions: { insertSpaces: true, tabSize: 2 } };

/** A file of rules that is tried out: what was in it can be brought back. */
export class RuleEdit {
  readonly #file: string;
  readonly #before: string | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  /** Writes the file as it was, with `rule` added; comments and other rules stay. */
  add({ module, path, rule }: ProposedRule): void {
    const text = this.#before ?? EMPTY;
    const root = parse(text) as { rules?: Record<string, Record<string, unknown>> } | undefined;
    const present = root?.rules?.[module]?.[path];
    const all = present === undefined ? rule : [present, rule].flat();
    const edits = modify(text, ['rules', module, path], all, FORMAT);
    writeFileSync(this.#file, applyEdits(text, edits));
  }

  undo(): void {
    if (this.#before === undefined) rmSync(this.#file, { force: true });
    else writeFileSync(this.#file, this.#before);
  }
}
