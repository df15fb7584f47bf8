import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Report } from '../../src/diagnosis/finding.ts';
import { RunningNode, type Result } from '../support/run-node.ts';

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/diagnosis/', import.meta.url));
const MODULES = fileURLToPath(new URL('../../../node_modules/', import.meta.url));
export const MAIN: string = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A project in a folder of its own, with the fixtures' packages installed. */
export class Project {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'clew-diagnosis-'));

  readonly #env: Record<string, string>;

  /** `modules`: where packages that are not fixtures come from. */
  constructor(modules: string = MODULES, env: Record<string, string> = {}) {
    this.#env = env;
    cpSync(FIXTURES, this.folder, { recursive: true });
    cpSync(join(FIXTURES, 'packages'), join(this.folder, 'node_modules'), { recursive: true });
    mkdirSync(join(this.folder, 'node_modules/.cache'));
    symlinkSync(join(modules, '@opentelemetry'), join(this.folder, 'node_modules/@opentelemetry'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  /** The number of the line that has `mark` in it. */
  line(file: string, mark: string): number {
    const lines = readFileSync(this.path(file), 'utf8').split('\n');
    return lines.findIndex((line) => line.includes(mark)) + 1;
  }

  clew(...args: string[]): Promise<Result> {
    return new RunningNode([MAIN, ...args], { cwd: this.folder, env: this.#env }).result();
  }

  async doctor(...args: string[]): Promise<{ report: Report; result: Result }> {
    const result = await this.clew('doctor', '--json', ...args);
    try {
      return { report: JSON.parse(result.stdout) as Report, result };
    } catch {
      throw new Error(`no report: ${result.stdout}\n${result.stderr}`);
    }
  }
}
