import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Source } from './case.ts';

/* What sources are made of. */

export type Resolve = (value?: unknown) => void;

/** Settles when `body` calls what it is given. */
export function done<Result>(body: (resolve: Resolve) => Result): Promise<unknown> {
  return new Promise((resolve) => void body(resolve));
}

/** A source that takes one callback. */
export function called(start: (callback: () => void) => unknown): Source {
  return (probe) => done((resolve) => start(() => resolve(probe('callback'))));
}

/** A path where nothing is. */
export function scratch(): string {
  return join(tmpdir(), `clew-survival-${process.pid}-${Math.random().toString(36).slice(2)}`);
}
