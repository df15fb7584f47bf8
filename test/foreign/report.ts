import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { compare, type Difference } from './compare.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';
import type { Program } from './run-program.ts';

/** Runs tests and prints what differs as it is found. */
export class Report {
  count = 0;
  readonly #receiver: OtlpReceiver;
  readonly #verbose: boolean;
  readonly #unknown: string[] = [];
  #same = 0;
  #failBare = 0;
  #unsteady = 0;
  #anyPreload = 0;
  #known = 0;

  constructor(receiver: OtlpReceiver, verbose: boolean) {
    this.#receiver = receiver;
    this.#verbose = verbose;
  }

  async run(programs: readonly Program[]): Promise<void> {
    for (const program of programs) {
      this.count++;
      const { passesBare, differences, unsteady } = await compare(program, this.#receiver.url);
      const spans = this.#receiver.spans.length;
      this.#receiver.clear();
      if (!passesBare) {
        this.#failBare++;
        if (this.#verbose) console.log(`fails bare: ${program.name}`);
        continue;
      }
      for (const mode of unsteady) console.log(`unsteady: ${program.name} ${mode}`);
      this.#unsteady += unsteady.length;
      for (const difference of differences) this.#tell(difference);
      if (differences.length > 0 || unsteady.length > 0) continue;
      this.#same++;
      if (this.#verbose) console.log(`same: ${program.name} (${spans} spans)`);
    }
  }

  /** Prints the sums; returns the exit code: 1 where a difference is not known. */
  finish(): 0 | 1 {
    console.log(
      `${this.count} tests: ${this.#same} as without clew, ${this.#failBare} fail without clew, ` +
        `${this.#unsteady} unsteady, ${this.#anyPreload} differ under any preload, ` +
        `${this.#known} known differences, ${this.#unknown.length} unknown`,
    );
    for (const difference of this.#unknown) console.log(`  ${difference}`);
    return this.#unknown.length === 0 ? 0 : 1;
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
