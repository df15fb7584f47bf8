import { clearTimeout, setTimeout } from 'node:timers';

import { onPatchedLibrary, patchedLibraries } from './instrumentation/index.ts';
import { runUntraced } from './tracer/owner.ts';

/** A start has come to rest when nothing was instrumented for this long, in milliseconds. */
const REST_MILLIS = 700;
/** Until the first library is there it may take longer. */
const FIRST_MILLIS = 2000;

/**
 * Reports which libraries are instrumented and loaded, with their versions: once start-up has
 * settled, and again for libraries loaded later. A process that ends earlier reports them at its
 * end.
 */
export class InstrumentedReport {
  readonly #libraries: () => readonly string[];
  readonly #builtin: readonly string[];
  readonly #print: (line: string) => void;
  readonly #reported = new Set<string>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `libraries` gives those whose spans clew makes; `builtin` are those of them that need no loading. */
  constructor(
    libraries: () => readonly string[],
    builtin: readonly string[],
    print: (line: string) => void,
  ) {
    this.#libraries = libraries;
    this.#builtin = builtin;
    this.#print = print;
    this.#unsubscribe = onPatchedLibrary(() => this.#wait());
    process.once('exit', this.#report);
    this.#wait(FIRST_MILLIS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
    process.off('exit', this.#report);
  }

  #wait(millis = REST_MILLIS): void {
    clearTimeout(this.#timer);
    // Our own timers are not traced and do not keep the process alive.
    this.#timer = runUntraced(() => setTimeout(this.#report, millis).unref());
  }

  readonly #report = (): void => {
    const versions = patchedLibraries();
    const found = this.#libraries().filter(
      (name) => !this.#reported.has(name) && (versions.has(name) || this.#builtin.includes(name)),
    );
    if (found.length === 0) return;
    for (const name of found) this.#reported.add(name);
    const described = found.map((name) => `${name} ${versions.get(name) ?? ''}`.trimEnd());
    this.#print(`instrumented: ${described.join(', ')}`);
  };
}
