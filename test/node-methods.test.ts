import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { fixture, runNode } from './support/run-node.ts';

const ROOT = new URL('../../', import.meta.url);
/** What is not replaced in every application, or not on every Node. */
const SOMETIMES = /^(on request|where )/;

interface Row {
  methods: string[];
  replaced: string;
  proof: string;
}

/** The rows of the table, `#on` and "the same of" written out. */
function rows(): Row[] {
  const text = readFileSync(new URL('docs/node-methods.md', ROOT), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [, methods = '', replaced = '', , proof = ''] = line
        .split('|')
        .map((cell) => cell.trim());
      return { methods: methodsOf(methods), replaced, proof };
    });
}

function methodsOf(cell: string): string[] {
  const [own = '', other] = cell.split('; the same of ');
  let owner = '';
  const methods = [...own.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
    if (name.startsWith('#')) return owner + name;
    owner = name.replace(/#.*/, '');
    return name;
  });
  const copies = methods.map((name) => other && name.replace(owner, other.replaceAll('`', '')));
  return [...methods, ...copies.filter((name) => name !== undefined && name !== '')] as string[];
}

describe('the methods of Node that are replaced', () => {
  it('are those that docs/node-methods.md lists, and own ones of others after the shutdown', async () => {
    const { stdout, stderr } = await runNode(
      [
        '--no-warnings',
        fixture('node-methods.mjs'),
        new URL('../src/index.js', import.meta.url).href,
      ],
      // With an export, which has a method replaced, too; nothing listens there.
      { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', CLEW_TRACER: 'trace' } },
    );
    assert.notEqual(stdout, '', stderr);
    const [whileOn, afterwards] = JSON.parse(stdout) as [string[], string[]];
    const table = rows();
    const listed = new Set(table.flatMap(({ methods }) => methods));
    assert.deepEqual(
      whileOn.filter((name) => !listed.has(name) && !name.includes('Symbol(clew.')),
      [],
      'replaced and not in the table',
    );
    const expected = table
      .filter(({ replaced }) => !SOMETIMES.test(replaced))
      .flatMap(({ methods }) => methods);
    assert.deepEqual(
      expected.filter((name) => !whileOn.includes(name)),
      [],
      'in the table and not replaced',
    );
    const others = table
      .filter(({ replaced }) => /OpenTelemetry/.test(replaced))
      .flatMap(({ methods }) => methods);
    assert.deepEqual(
      afterwards.filter((name) => !others.includes(name)),
      [],
    );
  });

  it('each have a proof that is there', () => {
    for (const { proof, methods } of rows()) {
      const files = [...proof.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
      if (proof === 'its own tests') continue;
      assert.ok(files.length > 0, methods.join());
      for (const file of files) assert.ok(existsSync(fileURLToPath(new URL(file, ROOT))), file);
    }
  });
});
