import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeOfLine } from '../support/other-nodes.ts';
import type { Program } from './run-program.ts';

const AREAS = [
  'abortcontroller|aborted|async|child-process|cli|cluster|console|cwd|dgram|diagnostics|dns|domain|emit',
  'event|events|eventtarget|fetch|fs|handle|http|http2|https|listen|messagechannel|messageport',
  'messaging|microtask|module|net|next-tick|perf|performance|pipe|preload|process|promise|promises',
  'queue|readable|readline|ref|require|runner|set|shadow|sigint|signal|socket|source|sqlite|stdin',
  'stdio|stdout|stream|stream2|stream3|streams|tcp|timers|tls|trace|tracing|uncaught|unhandled|util',
  'vm|warn|webcrypto|websocket|webstream|webstreams|whatwg|worker|zlib',
].join('|');

/** What of Node's own tests is run: the areas whose methods, loaders or ends clew touches. */
const SELECTION: readonly [folder: string, names: RegExp][] = [
  ['parallel', new RegExp(`^test-(?:${AREAS})(?:-|\\.)`)],
  ['async-hooks', /^test-/],
  ['es-module', /^test-/],
  ['module-hooks', /^test-/],
  ['sequential', /^test-/],
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
        alone: area === 'sequential',
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
