import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
let folder: string | undefined;

/**
 * A folder with the package installed as users have it, for as long as this process lives: with its
 * own dependencies and nothing of what this repository installs beside them, such as OpenTelemetry's
 * SDK, which it would load in place of the one that it includes.
 */
export function publishedFolder(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(tmpdir(), 'clew-published-'));
  folder = made;
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  writeFileSync(join(made, 'package.json'), '{ "private": true }\n');
  const installed = join(made, 'node_modules/clew');
  cpSync(join(ROOT, 'build/package'), join(installed, 'build/package'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(made, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return made;
}

/** The file of the package that is preloaded. */
export function publishedPreload(): string {
  return join(publishedFolder(), 'node_modules/clew/build/package/register.js');
}
