import assert from 'node:assert/strict';

import { loadModule, normalizeSync } from 'libpg-query';

import { describeSql } from '../../src/instrumentation/sql/sql-text.ts';
import type { BenchmarkCase, BenchmarkGroup } from '../harness/group.ts';

/** Written by every loop, so that no compiler leaves it out. */
const sink: { value: unknown } = { value: undefined };

const SHORT = (value: number): string =>
  `SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'open' AND o.id = ${value}`;
const ROW = "(17, 'somebody@example.com', 'it is said', 12.50, '2026-11-21')";
const LONG = (bytes: number, value: number): string =>
  `INSERT INTO orders (id, email, note, total, at) VALUES (${value}), ${`${ROW}, `.repeat(bytes / ROW.length)}${ROW}`;

const VARIANTS: Record<string, (sql: string) => unknown> = {
  'Buffer.from': (sql) => Buffer.from(sql),
  'libpg-query': (sql) => normalizeSync(sql),
  clew: (sql) => describeSql(sql, 'postgresql').text,
};

function statement(
  name: string,
  text: (index: number) => string,
  variants?: readonly string[],
): BenchmarkCase {
  return {
    name,
    ...(variants && { variants }),
    prepare: async (variant) => {
      await loadModule();
      const describe = VARIANTS[variant]!;
      let next = 0;
      return {
        preflight: () => {
          const shown = describe(text(4711));
          if (typeof shown === 'string') assert.doesNotMatch(shown, /4711|somebody/);
          else assert.ok(variant === 'Buffer.from');
        },
        run: (count) => {
          for (let index = 0; index < count; index += 1) sink.value = describe(text(next++));
        },
      };
    },
  };
}

export const group: BenchmarkGroup = {
  description:
    "a statement without its literals and its summary, against what a client does to send it (Buffer.from) and PostgreSQL's own normaliser (libpg-query, which makes no summary)",
  variants: Object.keys(VARIANTS),
  baseline: 'Buffer.from',
  mark: 'bench-sql-text',
  ours: ['clew'],
  peers: ['libpg-query'],
  quick: {
    cases: ['the same short statement again', 'a short statement with another literal each time'],
  },
  cases: [
    statement('the same short statement again', () => SHORT(4711)),
    statement('a short statement with another literal each time', SHORT),
    statement('an INSERT of 30 KB', (index) => LONG(30_000, index)),
    statement('an INSERT of 10 MB', (index) => LONG(10_000_000, index), ['Buffer.from', 'clew']),
  ],
};
