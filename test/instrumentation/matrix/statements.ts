import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import type { Form, FormSuite, Setting } from './form.ts';

/*
 * What each API form of each client is recorded as: `statements/<client>.json` holds the name and the
 * text of its spans. `UPDATE_STATEMENTS=1` writes what is recorded in the place of what is expected.
 */
const FOLDER = new URL('../../../../test/instrumentation/matrix/statements/', import.meta.url);
const UPDATES = process.env['UPDATE_STATEMENTS'] === '1';

/** A database span, as far as it says what was executed. */
export interface Statement {
  name: string;
  text: unknown;
  /** What the name begins with: a summary, the name of a command, or what is done with messages. */
  summary: unknown;
}

export function statementOf({ name, attributes }: ReadableSpan): Statement {
  return {
    name,
    text: attributes['db.query.text'],
    summary:
      attributes['messaging.operation.name'] ??
      attributes['db.query.summary'] ??
      attributes['db.operation.name'],
  };
}

/** Name and text, by setting and form. */
type Expected = Record<string, string[]>;

/** What the forms of a suite are expected to be recorded as. */
export interface ExpectedStatements {
  check(setting: Setting<any>, form: Form<any>, statements: readonly Statement[]): void;
  /** Writes what was recorded, if that is asked for. */
  write(): void;
}

/** Those of `suite`; a `version` may differ from the others in forms of its own. */
export function expectedStatements(
  { client, drivers = [], textless }: FormSuite,
  version: string,
): ExpectedStatements {
  const name = [client, ...drivers].join(' over ').replaceAll(/[^\w.]+/g, '-');
  const path = fileURLToPath(new URL(`${name}.json`, FOLDER));
  const read = (): Expected =>
    existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Expected) : {};
  const expected = read();
  const recorded = new Map<string, string[]>();
  return {
    check(setting, form, statements) {
      for (const statement of statements) checkOne(statement, textless ?? form.textless);
      const key = `${setting.name}: ${form.name}`;
      const found = [...new Set(statements.map(lineOf))].toSorted();
      if (UPDATES) {
        recorded.set(key, found);
        return;
      }
      const lines = expected[`${key}${version}`] ?? expected[key];
      assert.ok(lines, `No statements are expected of "${key}": set UPDATE_STATEMENTS=1 once`);
      assert.deepEqual(found, lines);
    },
    write() {
      if (!UPDATES || recorded.size === 0) return;
      const all = read();
      for (const [key, lines] of recorded) {
        if (all[key]?.join('\n') === lines.join('\n')) continue;
        all[version && all[key] ? `${key}${version}` : key] = lines;
      }
      writeFileSync(path, `${JSON.stringify(all, undefined, 2)}\n`);
    },
  };
}

function checkOne({ name, text, summary }: Statement, textless: string | undefined): void {
  assert.ok(
    typeof summary === 'string' && name.startsWith(summary),
    `A span is named ${name} and not after ${String(summary)}`,
  );
  if (textless !== undefined) return;
  assert.ok(typeof text === 'string' && text.trim() !== '', `The span ${name} has no text`);
}

/** Name and text without what differs from run to run. */
function lineOf({ name, text }: Statement): string {
  return `${name}: ${typeof text === 'string' ? text : 'no text'}`
    .replaceAll(/ (?:localhost|127\.0\.0\.1)(?::\d+)?/g, '')
    .replaceAll(/trx\d+/g, 'trx#')
    .replaceAll(/\d{2,}(?:[:_]\d+)?/g, '#');
}
