import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { MODULES } from './modules.ts';
import { nodeOfLine } from './other-nodes.ts';
import { cachedInstall } from './user-cache.ts';

/*
 * The lane of OpenTelemetry JS 3.x. Its packages cannot live beside those of 2.x in one project
 * (each wants another api), so they are installed on first use into the user's cache folder.
 */
const PACKAGES = [
  '@opentelemetry/api@1.10.0',
  '@opentelemetry/sdk-trace@3.1.1',
  '@opentelemetry/exporter-trace-otlp-http@0.301.0',
  '@opentelemetry/context-async-hooks@3.1.1',
];

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Whether this Node is new enough for SDK 3, which asks for 22.15. */
export function canRunSdk3(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 15);
}

/** A Node that runs SDK 3: this one, or a newer. */
export function nodeForSdk3(): string {
  return canRunSdk3() ? process.execPath : nodeOfLine('24');
}

/** The folder whose `node_modules` is SDK 3. It is shared: nothing may be written into it. */
export function sdk3Folder(): string {
  return cachedInstall('opentelemetry-js-3.1.1-2', PACKAGES);
}

/** A project with SDK 3 in which the clew that is under test is installed. */
export interface Sdk3Project {
  folder: string;
  /** The preload of that clew, for `--import`. */
  registerUrl: string;
}

/** Makes such a project in a temporary folder; the caller removes it. */
export function sdk3Project(manifest: { dependencies: Record<string, string> }): Sdk3Project {
  const folder = mkdtempSync(join(tmpdir(), 'clew-sdk-3-'));
  const modules = join(folder, 'node_modules');
  linkPackages(join(sdk3Folder(), 'node_modules'), modules);
  const clew = join(modules, 'clew');
  cpSync(join(ROOT, 'build', 'package'), join(clew, 'build', 'package'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(clew, 'package.json'));
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(modules, name);
    if (!existsSync(link)) linkPackage(join(MODULES, name), link);
  }
  return {
    folder,
    registerUrl: pathToFileURL(join(clew, 'build', 'package', 'register.js')).href,
  };
}

function linkPackages(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    if (name.startsWith('.')) continue;
    if (name.startsWith('@')) linkPackages(join(from, name), join(to, name));
    else linkPackage(join(from, name), join(to, name));
  }
}

function linkPackage(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to);
}
