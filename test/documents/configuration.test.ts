import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { marked, type Tokens } from 'marked';

import { ROOT } from './support/page.ts';

/** Those by which the commands of clew speak to the process that they start. */
const BETWEEN_PROCESSES = new Set([
  'CLEW_COLLECTOR_REPORTED',
  'CLEW_DOCTOR',
  'CLEW_RECORD_START',
  'CLEW_REPORT_START',
  'CLEW_RUN_REPORT',
]);

const source = execFileSync('git', ['ls-files', 'src'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.c?ts$/.test(file) && existsSync(join(ROOT, file)))
  .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  .join('\n');
/** Types of async resources are called alike. */
const types = new Set([...source.matchAll(/\['(CLEW_\w+)', '\w+'\]/g)].map(([, name]) => name!));

/** The variables in the first column of the tables. */
const listed = new Set(
  marked
    .lexer(readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8'))
    .filter((token): token is Tokens.Table => token.type === 'table')
    .flatMap(({ rows }) => rows.map(([cell]) => cell?.text ?? ''))
    .flatMap((text) => [...text.matchAll(/`((?:OTEL|CLEW)_\w+)`/g)].map(([, name]) => name!)),
);

describe('docs/configuration.md', () => {
  it('lists every variable that the sources read', () => {
    const read = [...source.matchAll(/['`]((?:OTEL|CLEW)_[A-Z][A-Z_]*)(['`$])/g)]
      .map(([, name = '', end]) => ({ name, isPrefix: end === '$' || name.endsWith('_') }))
      .filter(({ name }) => !BETWEEN_PROCESSES.has(name) && !types.has(name));
    assert.ok(read.length > 50);
    const missing = read.filter(({ name, isPrefix }) =>
      isPrefix ? ![...listed].some((one) => one.startsWith(name)) : !listed.has(name),
    );
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });

  it('lists none that the sources do not know', () => {
    const known = new Set(source.match(/\b(?:OTEL|CLEW)_[A-Z_]+/g));
    const prefixes = [...known].filter((name) => name.endsWith('_'));
    assert.deepEqual(
      [...listed].filter(
        (name) => !known.has(name) && !prefixes.some((prefix) => name.startsWith(prefix)),
      ),
      [],
    );
  });
});
