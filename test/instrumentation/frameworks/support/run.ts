import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { fixture, runNode } from '../../../support/run-node.ts';
import { cachedInstall } from '../../../support/user-cache.ts';
import type { Asked, Report } from './observed.ts';

const here = (name: string): string => new URL(name, import.meta.url).href;

/** The two kinds of modules that an application may be written as. */
export const KINDS = ['ES module', 'CommonJS module'] as const;
export type Kind = (typeof KINDS)[number];

/** Packages of a framework, of certain versions, and the application that uses them. */
export interface Subject {
  /** Where the packages are kept, below the cache's `frameworks/`. */
  folder: string;
  packages: readonly string[];
  /** The modules that the application is given, by the names it knows them by. */
  modules: Readonly<Record<string, string>>;
  /** The program in test/fixtures/frameworks/. */
  application: string;
  /** Prepares the folder of the packages; returns what the application is told by environment. */
  prepare?: (installed: string) => Record<string, string>;
}

export interface RunSettings {
  asked: readonly Asked[];
  kind?: Kind;
  /** Without what is observed, as the application is without clew. */
  isBare?: boolean;
  env?: Record<string, string>;
  node?: string;
}

/** Runs an application on the packages of `subject`, with requests. */
export async function run(subject: Subject, settings: RunSettings): Promise<Report> {
  const { asked, kind = 'ES module', isBare = false, env = {} } = settings;
  const installed = cachedInstall(join('frameworks', subject.folder), subject.packages);
  const prepared = subject.prepare?.(installed);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'clew-frameworks-')));
  try {
    symlinkSync(join(installed, 'node_modules'), join(folder, 'node_modules'));
    const file = kind === 'CommonJS module' ? 'main.cjs' : 'main.mjs';
    writeFileSync(
      join(folder, file),
      kind === 'CommonJS module' ? commonJs(subject) : esModule(subject),
    );
    const preload = isBare ? [] : ['--import', here('./observe.js')];
    const { code, stdout, stderr } = await runNode(['--no-deprecation', ...preload, file], {
      cwd: folder,
      env: {
        ASKED: JSON.stringify(asked),
        OTEL_TRACES_EXPORTER: 'none',
        NODE_ENV: 'test',
        ...prepared,
        ...env,
      },
      ...(settings.node && { node: settings.node }),
    });
    const line = stdout.split('\n').find((one) => one.startsWith('REPORT '));
    if (code !== 0 || line === undefined) {
      throw new Error(`ended with code ${code}:\n${stdout}${stderr}`);
    }
    return { ...(JSON.parse(line.slice(7)) as Report), stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function esModule({ modules, application }: Subject): string {
  const names = Object.keys(modules);
  return [
    ...names.map((name, index) => `import * as module${index} from '${modules[name]}';`),
    `import { drive, here } from '${here('./drive.js')}';`,
    `import build from '${pathToFileURL(fixture(`frameworks/${application}`)).href}';`,
    `const modules = { ${names.map((name, index) => `${JSON.stringify(name)}: module${index}`).join(', ')} };`,
    'await drive(await build(modules, here));',
  ].join('\n');
}

function commonJs({ modules, application }: Subject): string {
  const entries = Object.entries(modules).map(
    ([name, module]) => `${JSON.stringify(name)}: require('${module}')`,
  );
  return [
    `const modules = { ${entries.join(', ')} };`,
    `const build = require('${fixture(`frameworks/${application}`)}');`,
    `import('${here('./drive.js')}').then(async ({ drive, here }) => drive(await build(modules, here)));`,
  ].join('\n');
}
