/*
 * What a benchmark is. A file in `benchmark/groups/` exports one `group`; nothing else has to be
 * told of it. `npm run bench -- <group>` runs it.
 */

/** Cases measured for the same variants, each against the same baseline. */
export interface BenchmarkGroup {
  /** One sentence: what is compared, and what the numbers mean. */
  description: string;
  /** The variants, in the order of the table. */
  variants: readonly string[];
  /** The variant the ratios refer to. */
  baseline: string;
  cases: readonly BenchmarkCase[];
}

export interface BenchmarkCase {
  name: string;
  /** Leaves out variants that have no such operation. */
  variants?: readonly string[];
  /** What one operation costs is given in this unit; nanoseconds of CPU if not said. */
  unit?: 'ns CPU' | 'us CPU';
  /** Called once, in the process of its own that each case and variant has. */
  prepare(variant: string): Prepared | Promise<Prepared>;
}

export interface Prepared {
  /** Throws if the variant does not do what is measured. Runs before anything is timed. */
  preflight(): void | Promise<void>;
  /**
   * Does the operation `count` times. A number that it returns is the cost of all of them in the
   * case's unit; otherwise the harness takes the CPU time.
   */
  run(count: number): void | number | Promise<void | number>;
  /** Samples that are not counted, where five are too few for the compiler to settle. */
  warmUps?: number;
  /** Operations of one sample, where the harness should not find that out by itself. */
  count?: number;
  close?(): void | Promise<void>;
}
