import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/*
 * The lane of OpenTelemetry JS 3.x. Its packages cannot live beside those of 2.x in one project
 * (each wants another api), so they are installed on first use into the user's cache folder.
 */
const PACKAGES = [
  '@opentelemetry/api@1.10.0',
  '@opentelemetry/sdk-trace@3.1.1',
  '@opentelemetry/exporter-trace-otlp-http@0.301.0',
  '@opentelemetry/instrumentation-http@0.301.0',
  '@opentelemetry/instrumentation-undici@0.34.0',
  '@opentelemetry/context-async-hooks@3.1.1',
];

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Whether this Node is new enough for SDK 3, which asks for 22.15. */
export function canRunSdk3(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 15);
}

/** A project with SDK 3 in which the clew that is under test is installed. */
export interface Sdk3Project {
  folder: string;
  /** The preload of that clew, for `--import`. */
  registerUrl: string;
}

export function sdk3Project(manifest: { dependencies: Record<string, string> }): Sdk3Project {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'clew', `sdk-${PACKAGES[1]?.split('@').at(-1)}`);
  const modules = join(folder, 'node_modules');
  if (!existsSync(join(modules, '@opentelemetry', 'sdk-trace'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['i', '--no-save', '--prefix', folder, ...PACKAGES];
    const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`Cannot install SDK 3: ${stderr}`);
  }
  const clew = join(modules, 'clew');
  rmSync(clew, { recursive: true, force: true });
  cpSync(join(ROOT, 'build', 'src'), join(clew, 'build', 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(clew, 'package.json'));
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(modules, name);
    if (existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return {
    folder,
    registerUrl: pathToFileURL(join(clew, 'build', 'src', 'register.js')).href,
  };
}
