import type { SetupFact } from '../record.ts';

/** Watches how tracing is set up. */
export class SetupWatch {
  start(): void {}
  stop(): void {}
  facts(): SetupFact[] {
    return [];
  }
}
