import { MAX_ROUTES } from '../finding.ts';
import type { Request } from './work.ts';

/**
 * Counts requests by name. A request counts under each name that it has in turn: by its path when
 * it begins, and by its route once that is known. A finding may have either.
 */
export class RouteCounts {
  readonly #counts = new Map<string, number>();

  /** Counts a request under the name that it has now, unless it was counted under that before. */
  count(request: Request): void {
    const { label, names } = request;
    if (names.includes(label)) return;
    names.push(label);
    const known = this.#counts.get(label);
    if (known !== undefined || this.#counts.size < MAX_ROUTES) {
      this.#counts.set(label, (known ?? 0) + 1);
    }
  }

  /** The numbers of requests by name. */
  entries(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
