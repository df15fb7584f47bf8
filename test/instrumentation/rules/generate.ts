import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { format } from 'prettier';

import { GLOBAL_RULES } from '../../../src/instrumentation/rules/globals.ts';
import { builtInModules } from '../../../src/instrumentation/rules/index.ts';
import { ruleFileSchema } from '../../../src/instrumentation/rules/schema.ts';
import type { Rule } from '../../../src/instrumentation/wrap/rule.ts';
import { scenarios } from '../../fixtures/rules/scenarios.ts';
import { NODE_LINES } from '../../support/other-nodes.ts';

/*
 * Writes what is generated: the JSON schema of rule files and the table of libraries. A test holds
 * both to be what the sources say.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..');
const require = createRequire(import.meta.url);

export const SCHEMA_FILE: string = join(root, 'clew.rules.schema.json');
export const DOCS_FILE: string = join(root, 'docs/rules.md');
/** The documents with the table; one without the markers is left alone. */
export const TABLE_FILES: readonly string[] = [DOCS_FILE];
const BEGIN = '<!-- libraries: written by `npm run rules:generate` -->';
const END = '<!-- /libraries -->';
const TESTED_NODES = NODE_LINES.join(', ');

export const schemaText = (): Promise<string> =>
  format(JSON.stringify(ruleFileSchema()), { parser: 'json', printWidth: 100 });

/** `text` with the table between the markers. */
export async function withTable(text: string): Promise<string> {
  if (!text.includes(BEGIN)) return text;
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  const table = await format(libraryTable(), { parser: 'markdown' });
  return `${text.slice(0, begin)}\n\n${table}\n${text.slice(text.indexOf(END))}`;
}

interface Row {
  versions: Set<string>;
  kinds: Set<string>;
  targets: string[];
}

function libraryTable(): string {
  const rows = new Map<string, Row>();
  for (const { module, versions, rules } of builtInModules()) {
    const name = packageOf(module);
    const row = rows.get(name) ?? { versions: new Set(), kinds: new Set(), targets: [] };
    rows.set(name, row);
    row.versions.add(versions);
    for (const rule of rules) {
      row.kinds.add(rule.kind);
      row.targets.push(`\`${targetOf(rule)}\``);
    }
  }
  const lines = [...rows].map(([name, { versions, kinds, targets }]) => [
    ...(isBuiltin(name)
      ? [`Node: ${name}`, 'all', TESTED_NODES]
      : [
          `\`${name}\``,
          [...versions].map((range) => `\`${range}\``).join(', '),
          testedVersions(name).join(', '),
        ]),
    [...kinds].join(', '),
    [...new Set(targets)].join(', '),
  ]);
  // What a logger writes waits in a stream of Node's: there is nothing to wrap in the logger.
  lines.push(['`pino`', 'any', testedVersions('pino').join(', '), '', 'see Node: stream']);
  for (const { name, kind, target } of GLOBAL_RULES) {
    lines.push([`Node: ${name}`, 'all', TESTED_NODES, kind, target]);
  }
  const heads = ['library', 'versions', 'tested with', 'kinds', 'what is wrapped'];
  return [heads, heads.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function targetOf({ on = '', method }: Rule): string {
  const methods = [method ?? []].flat().join('|');
  const path = methods && !on.endsWith('#') ? `${on}${on ? '#' : ''}` : on;
  return `${path}${methods}`;
}

const packageOf = (module: string): string =>
  module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');

/** The versions that the scenarios run with, of the package and of its aliases. */
function testedVersions(name: string): string[] {
  const modules = new Set(scenarios.map(({ module }) => packageOf(module)));
  if (name === 'socket.io-client' || name === 'winston-transport') modules.add(name);
  if (name === '@nats-io/nats-core') modules.add(name);
  const versions: string[] = [];
  for (const module of modules) {
    if (module !== name && !(module.startsWith(`${name}-`) && /-[\d.]+$/.test(module))) continue;
    const own = scenarios.filter((scenario) => packageOf(scenario.module) === module);
    const isKept = own.length > 0 && own.every(({ today }) => today === 'kept');
    versions.push(`${versionOf(module)}${isKept ? ' (right by itself)' : ''}`);
  }
  return versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

function versionOf(module: string): string {
  for (const folder of require.resolve.paths(module) ?? []) {
    try {
      const file = readFileSync(join(folder, module, 'package.json'), 'utf8');
      return (JSON.parse(file) as { version: string }).version;
    } catch {
      // Not in this folder of modules.
    }
  }
  throw new Error(`${module} is not installed`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(SCHEMA_FILE, await schemaText());
  for (const file of TABLE_FILES) writeFileSync(file, await withTable(readFileSync(file, 'utf8')));
}
