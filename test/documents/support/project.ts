import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { RunningNode } from '../../support/run-node.ts';
import { ROOT, type Block } from './page.ts';

const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

/**
 * The folder of somebody who follows a document: with clew and the packages of `installs` in its
 * `node_modules`, and the blocks that name a file written down.
 */
export class Project {
  readonly folder: string;

  constructor(blocks: readonly Block[] = [], installs: readonly string[] = []) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'clew-document-')));
    this.write('package.json', '{ "name": "shop", "version": "1.2.3", "private": true }\n');
    // `npx` runs what is installed, without npm, whose start takes longer than the examples.
    this.write('.path/npx', '#!/bin/sh\nexec "$@"\n', 0o755);
    symlinkSync(process.execPath, join(this.folder, '.path/node'));
    // A copy: tools ask whether a package stands in a `node_modules`.
    for (const part of ['package.json', 'build/package']) {
      cpSync(join(ROOT, part), join(this.folder, 'node_modules/clew', part), { recursive: true });
    }
    for (const name of Object.keys(dependencies)) {
      this.#link(name, join(ROOT, 'node_modules', name));
    }
    for (const install of installs) this.#linkAll(join(install, 'node_modules'));
    for (const { file, text } of blocks) if (file !== undefined) this.write(file, text);
  }

  write(name: string, text: string, mode = 0o644): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
  }

  /** Makes `name` lead to `target`, unless it is there. */
  link(name: string, target: string): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) symlinkSync(target, path);
  }

  /** Runs commands as a shell does in this folder. */
  run(commands: string, env: Record<string, string> = {}): RunningNode {
    const path = [join(this.folder, '.path'), join(this.folder, 'node_modules/.bin')];
    return new RunningNode(['-c', commands], {
      node: 'bash',
      cwd: this.folder,
      env: { NO_COLOR: '1', ...env, PATH: [...path, process.env['PATH']].join(delimiter) },
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #link(name: string, target: string): void {
    this.link(join('node_modules', name), target);
  }

  #linkAll(modules: string): void {
    for (const entry of readdirSync(modules)) {
      if (entry === '.bin' || entry.startsWith('@')) {
        for (const inside of readdirSync(join(modules, entry))) {
          this.#link(join(entry, inside), realpathSync(join(modules, entry, inside)));
        }
      } else if (!entry.startsWith('.')) this.#link(entry, join(modules, entry));
    }
  }
}
