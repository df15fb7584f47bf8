import { appendFileSync, existsSync, readFileSync } from 'node:fs';

import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { compare, isSame, type Comparison, type Difference } from './compare.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';
import type { PreloadMode } from './modes.ts';
import type { Program } from './run-program.ts';
import { table } from './table.ts';

/** What was found for one test. A line of the file of results. */
export interface Result extends Comparison {
  name: string;
  /** The names of the preloads it was run under. */
  preloads: string[];
}

export interface RunOptions {
  preloads: readonly PreloadMode[];
  /** Where spans are sent. */
  receiver: OtlpReceiver;
  /** How many tests run at once, of those that may; with 0 none is run. */
  jobs: number;
  /** Runs only what has no line in the file of results. */
  resume: boolean;
  verbose: boolean;
}

/** Runs tests, prints what differs as it is found, and adds a line for each to a file of results. */
export class Report {
  readonly #file: string;
  readonly #options: RunOptions;
  readonly #results = new Map<string, Result>();
  readonly #earlier = new Map<string, Result>();
  readonly #unknown: string[] = [];
  #anyPreload = 0;
  #known = 0;

  constructor(file: string, options: RunOptions) {
    this.#file = file;
    this.#options = options;
    if (!options.resume || !existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const result = JSON.parse(line) as Result;
      this.#earlier.set(result.name, result);
    }
  }

  get count(): number {
    return this.#results.size;
  }

  async run(programs: readonly Program[]): Promise<void> {
    const waiting = programs.filter(({ name }) => {
      const earlier = this.#earlier.get(name);
      const isDone = earlier && (this.#options.jobs === 0 || this.#missing(earlier).length === 0);
      if (isDone) this.#take(earlier);
      return !isDone;
    });
    const alone = waiting.filter(({ alone }) => alone);
    const together = waiting.filter(({ alone }) => !alone);
    const jobs = Array.from({ length: this.#options.jobs }, (_, job) => this.#work(together, job));
    await Promise.all(jobs);
    if (this.#options.jobs > 0) await this.#work(alone, 0);
  }

  /** Prints the table and the sums; returns the exit code: 1 where a difference is not known. */
  finish(): 0 | 1 {
    const results = [...this.#results.values()];
    const sum = (matches: (result: Result) => boolean): number => results.filter(matches).length;
    const unsteady = results.reduce((all, result) => all + result.unsteady.length, 0);
    if (results.length > 0) console.log(`\n${table(results)}\n`);
    console.log(
      `${results.length} tests: ${sum(isSame)} as without clew, ` +
        `${sum(({ bare }) => bare === 'fails')} fail without clew, ` +
        `${sum(({ bare }) => bare === 'skips')} skip themselves, ` +
        `${unsteady} unsteady, ${this.#anyPreload} differ under any preload, ` +
        `${this.#known} known differences, ${this.#unknown.length} unknown`,
    );
    for (const difference of this.#unknown) console.log(`  ${difference}`);
    return this.#unknown.length === 0 ? 0 : 1;
  }

  /** The preloads under which a test has not been run; none for a test that does not pass bare. */
  #missing(earlier: Result): readonly PreloadMode[] {
    if (earlier.bare !== 'passes') return [];
    return this.#options.preloads.filter(({ name }) => !earlier.preloads.includes(name));
  }

  async #work(programs: Program[], job: number): Promise<void> {
    const { receiver } = this.#options;
    for (let program = programs.shift(); program; program = programs.shift()) {
      // Node's tests have a folder and a port for each of those that run at once.
      const serial = { TEST_SERIAL_ID: String(job), NODE_COMMON_PORT: String(12_346 + 100 * job) };
      const numbered = { ...program, env: { ...serial, ...program.env } };
      const earlier = this.#earlier.get(program.name);
      const preloads = earlier ? this.#missing(earlier) : this.#options.preloads;
      const found = await compare(numbered, preloads, receiver.url);
      receiver.clear();
      const result: Result = {
        name: program.name,
        bare: found.bare,
        preloads: [...(earlier?.preloads ?? []), ...preloads.map(({ name }) => name)],
        differences: [...(earlier?.differences ?? []), ...found.differences],
        unsteady: [...(earlier?.unsteady ?? []), ...found.unsteady],
      };
      appendFileSync(this.#file, `${JSON.stringify(result)}\n`);
      this.#take(result);
    }
  }

  #take(result: Result): void {
    const { name, bare, unsteady, differences } = result;
    this.#results.set(name, result);
    for (const mode of unsteady) console.log(`unsteady: ${name} ${mode}`);
    for (const difference of differences) this.#tell(difference);
    if (!this.#options.verbose) return;
    if (bare !== 'passes') console.log(`${bare} bare: ${name}`);
    else if (isSame(result)) console.log(`same: ${name}`);
  }

  #tell({ name, mode, outcome, withoutClew }: Difference): void {
    const known = KNOWN_DIFFERENCES.find((entry) => entry.name.test(name));
    if (withoutClew) {
      this.#anyPreload++;
      console.log(`differs under any preload: ${name} ${mode}`);
    } else if (known) {
      this.#known++;
      console.log(`known: ${name} ${mode}: ${known.reason}`);
    } else {
      this.#unknown.push(`${name} ${mode}`);
      console.log(`DIFFERS: ${name} ${mode} (${outcome.end})`);
      console.log(outcome.output.slice(-3000).replaceAll(/^/gm, '    '));
    }
  }
}
