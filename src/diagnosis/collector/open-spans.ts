import { partyOf } from '../stack-frames.ts';
import type { Observation } from '../record.ts';
import type { SpanEvent } from './span-event.ts';
import { captureStack, readFrames } from './stack.ts';
import type { Owner } from './work.ts';

const MAX_OPEN = 8;
const STACKS_PER_NAME = 20;
const MAX_NAMES = 500;

type Inactive = Partial<Observation> & Pick<Observation, 'kind' | 'what'>;

/**
 * Finds spans that were never made active while further spans, most likely meant as their children,
 * were started beside them.
 */
export class OpenSpans {
  readonly #found: (seen: Inactive) => void;
  readonly #captured = new Map<string, number>();

  constructor(found: (seen: Inactive) => void) {
    this.#found = found;
  }

  started({ key, parent, name, scope }: SpanEvent, owner: Owner): void {
    const open = (owner.open ??= []);
    for (const span of open) {
      if (span.key === parent) span.active = true;
      else if (span.parent === parent && !span.active) {
        if (span.scope === scope) span.crowded = true;
        else (span.missed ??= new Set()).add(name);
      }
    }
    if (open.length >= MAX_OPEN) return;
    const captured = this.#isWanted(name) ? captureStack() : undefined;
    if (!captured) return;
    const crowded = open.some((span) => span.parent === parent && span.scope === scope);
    open.push({ key, name, scope, parent, captured, active: false, missed: undefined, crowded });
  }

  ended(key: object, owner: Owner): void {
    const index = owner.open?.findIndex((span) => span.key === key) ?? -1;
    if (index === -1) return;
    const [span] = (owner.open ?? []).splice(index, 1);
    if (!span || span.active || !span.missed) return;
    const stack = readFrames(span.captured);
    // Instrumentation may do this on purpose; only spans of the application itself count.
    const maker = stack.find((frame) => partyOf(frame.file) !== 'tool');
    if (!maker || partyOf(maker.file) !== 'application') return;
    this.#found({
      kind: 'inactive',
      what: span.name,
      stack,
      owner: owner.ref,
      spans: [...span.missed],
      parentedElsewhere: !span.crowded,
    });
  }

  #isWanted(name: string): boolean {
    const count = this.#captured.get(name) ?? 0;
    if (count >= STACKS_PER_NAME || this.#captured.size >= MAX_NAMES) return false;
    this.#captured.set(name, count + 1);
    return true;
  }
}
