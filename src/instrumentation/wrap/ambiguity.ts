import { channel } from 'node:diagnostics_channel';

import { sayOnce } from '../../base/log.ts';
import type { RuleState } from './repair-unit.ts';

/** What is published on `clew:repair:ambiguous`. */
export interface Ambiguity {
  /** The library and the method, as in the type of the async resource. */
  operation: string;
  /** `kind:module`. */
  rule: string;
  /** How many contexts could have claimed the work. */
  callers: number;
}

const ambiguous = channel('clew:repair:ambiguous');

/** Says that work belonged to several callers and was left where it ran. */
export function reportAmbiguity(state: RuleState, callers: number): void {
  if (ambiguous.hasSubscribers) {
    ambiguous.publish({ operation: state.type, rule: state.label, callers } satisfies Ambiguity);
  }
  sayOnce(
    'debug',
    `ambiguous:${state.type}`,
    `${state.type} served ${callers} callers at once: its spans keep their parent and are linked to the other callers.`,
  );
}
