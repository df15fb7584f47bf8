import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeOfLine } from '../support/other-nodes.ts';
import type { Program } from './run-program.ts';

const AREAS = [
  'abortcontroller|aborted|async|child-process|cli|cluster|diagnostics|dns|domain',
  'event-emitter|events|eventtarget|fs|http|http2|https|messagechannel|messageport|net',
  'process|promise|readline|runner|stream|streams|timers|tls|webcrypto|whatwg|worker|zlib',
].join('|');

/** What of Node's own tests is run: the areas whose methods, loaders or ends clew touches. */
const SELECTION: readonly [folder: string, names: RegExp][] = [
  ['parallel', new RegExp(`^test-(?:${AREAS})\\d?(?:-|\\.)`)],
  ['async-hooks', /^test-/],
];

/**
 * Node's own tests for one of its lines, from `<folder>/node-<line>/test`, a checkout of Node.
 * Empty where there is none.
 */
export function nodeTests(folder: string, line: string): Program[] {
  const checkout = join(folder, `node-${line}`);
  if (!existsSync(join(checkout, 'test', 'parallel'))) return [];
  const node = nodeOfLine(line);
  // From Node 25 `test/common` reads `localStorage`, which warns without a file.
  const file = join(tmpdir(), 'clew-foreign-local-storage');
  const storage = Number(line) >= 25 ? [`--localstorage-file=${file}`] : [];
  const programs: Program[] = [];
  for (const [area, names] of SELECTION) {
    const areaFolder = join(checkout, 'test', area);
    if (!existsSync(areaFolder)) continue;
    for (const file of readdirSync(areaFolder).sort()) {
      if (!names.test(file) || !/\.m?js$/.test(file)) continue;
      const path = join(areaFolder, file);
      const head = readFileSync(path, 'utf8');
      programs.push({
        name: `node-${line}/${area}/${file}`,
        node,
        args: [...storage, ...settings(head, 'Flags'), path],
        cwd: checkout,
        env: Object.fromEntries(settings(head, 'Env').map((pair) => pair.split('=', 2))),
        timeoutMillis: 30_000,
      });
    }
  }
  return programs;
}

/** The words of a `// Flags: --a --b` line, as Node's own runner reads them. */
function settings(source: string, name: string): string[] {
  const line = new RegExp(`^// ${name}:(.*)$`, 'm').exec(source);
  return line?.[1]?.trim().split(/\s+/).filter(Boolean) ?? [];
}
