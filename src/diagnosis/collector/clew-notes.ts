import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { SETUP_NOTES, type SetupNote } from '../../base/setup-notes.ts';
import type { SetupFact } from '../record.ts';
import type { Enabled } from './instrumentation-watch.ts';
import { captureStack, readFrames } from './stack.ts';

const MAX_NOTES = 500;

type Failure = Extract<SetupFact, { fault: 'export-fails' | 'no-collector' }>;
type Early = Extract<SetupFact, { fault: 'loaded-early' }>;

/**
 * Reads the notes of clew's own set-up: its instrumentations, in the form of OpenTelemetry's own,
 * and whether the spans that clew's thread sends reach the collector.
 */
export class ClewNotes {
  readonly enabled: Enabled[] = [];
  readonly early: Early[] = [];
  readonly #failures = new Map<string, Failure>();
  readonly #onFailure: () => void;

  /** `onFailure` is called when the export fails, possibly in the last moment of the process. */
  constructor(onFailure: () => void) {
    this.#onFailure = onFailure;
  }

  start(): void {
    subscribe(SETUP_NOTES, this.#heard);
  }

  stop(): void {
    unsubscribe(SETUP_NOTES, this.#heard);
  }

  get failures(): readonly Failure[] {
    return [...this.#failures.values()];
  }

  readonly #heard = (message: unknown): void => {
    try {
      this.#hear(message as SetupNote);
    } catch {
      // Must not throw into the application.
    }
  };

  #hear(note: SetupNote): void {
    if (note.kind === 'modules') {
      const { instrumentation: name, modules } = note;
      if (this.enabled.some((known) => known.modules === modules)) return;
      if (this.enabled.length < MAX_NOTES) {
        this.enabled.push({ name, modules, late: [], stack: [] });
      }
    } else if (note.kind === 'early') {
      if (this.early.length >= MAX_NOTES) return;
      const { package: name, instrumentation } = note;
      const stack = readFrames(captureStack());
      this.early.push({ fault: 'loaded-early', package: name, instrumentation, stack });
    } else this.#hearExport(note);
  }

  #hearExport({ target, failure }: Extract<SetupNote, { kind: 'export' }>): void {
    if (!failure) {
      // The delivery keeps spans until they can be sent.
      this.#failures.delete(target);
      return;
    }
    if (this.#failures.size >= MAX_NOTES) return;
    const { reason, isAbsent, count } = failure;
    const fault = isAbsent ? 'no-collector' : 'export-fails';
    this.#failures.set(target, { fault, target, reason, count: Math.max(1, count) });
    this.#onFailure();
  }
}
