import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Report } from '../../src/diagnosis/finding.ts';
import { MODULES } from '../support/modules.ts';
import { fixture, RunningNode, type Result } from '../support/run-node.ts';

export const MAIN: string = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface ProjectOptions {
  /** Where packages that are not fixtures come from. */
  modules?: string;
  env?: Record<string, string>;
  /** The folder of fixtures; its `packages` are installed. */
  fixtures?: string;
}

/** A project in a folder of its own, with the fixtures' packages installed. */
export class Project {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'clew-diagnosis-'));

  /** The environment of the runs. */
  readonly env: Record<string, string>;

  constructor({ modules = MODULES, env = {}, fixtures = 'diagnosis' }: ProjectOptions = {}) {
    this.env = env;
    const from = fixture(fixtures);
    cpSync(from, this.folder, { recursive: true });
    cpSync(join(from, 'packages'), join(this.folder, 'node_modules'), { recursive: true });
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
    return new RunningNode([MAIN, ...args], { cwd: this.folder, env: this.env }).result();
  }

  /** Runs a program of the project without clew. */
  node(...args: string[]): Promise<Result> {
    return new RunningNode(args, { cwd: this.folder, env: this.env }).result();
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
