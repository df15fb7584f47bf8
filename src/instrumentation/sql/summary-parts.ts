/** The longest summary the conventions allow. */
export const SUMMARY_LIMIT = 255;

/** Operations and targets as they come, as many as fit: none is ever cut. */
export class SummaryParts {
  readonly #parts: string[] = [];
  #length = 0;
  #full = false;

  get count(): number {
    return this.#parts.length;
  }

  get first(): string | undefined {
    return this.#parts[0];
  }

  push(part: string): void {
    const length = this.#length + part.length + (this.#parts.length > 0 ? 1 : 0);
    // Once one does not fit none is taken: what follows it would seem to follow the one before it.
    this.#full ||= length > SUMMARY_LIMIT;
    if (this.#full) return;
    this.#parts.push(part);
    this.#length = length;
  }

  /** Takes the parts behind the first `count` back. */
  backTo(count: number): void {
    if (count >= this.#parts.length) return;
    this.#parts.length = count;
    this.#length = this.#parts.join(' ').length;
    this.#full = false;
  }

  toString(): string {
    return this.#parts.join(' ');
  }
}
