import { createHash } from 'node:crypto';

import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import type { Scenario } from './scenarios.ts';

const DIGEST_MILLIS = 1000;

/**
 * A collector that goes away and comes back on the same port. Of each span it keeps no more than
 * its id and what its content hashes to: hundreds of thousands arrive in one run of the table.
 */
export class Collector {
  /** Spans that arrived again as they were: Jaeger shows those once. */
  exactCopies = 0;
  /** Spans that arrived again with another content. */
  otherCopies = 0;
  readonly #port: number;
  readonly #scenario: Scenario;
  readonly #seen = new Map<string, string>();
  readonly #receivers: OtlpReceiver[] = [];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(port: number, scenario: Scenario) {
    this.#port = port;
    this.#scenario = scenario;
    this.#timers.push(setInterval(() => this.#digest(), DIGEST_MILLIS));
  }

  /** The ids of the spans that have arrived. */
  get arrived(): ReadonlySet<string> {
    this.#digest();
    return new Set(this.#seen.keys());
  }

  async begin(): Promise<void> {
    await this.#listen();
    const { outage } = this.#scenario;
    if (!outage) return;
    const later = (action: () => Promise<void>, millis: number): void => {
      this.#timers.push(setTimeout(() => void action(), millis));
    };
    later(() => this.#receivers[0]?.close() ?? Promise.resolve(), outage[0]);
    later(() => this.#listen(), outage[1]);
  }

  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const receiver of this.#receivers) await receiver.close();
    this.#digest();
  }

  async #listen(): Promise<void> {
    const receiver = new OtlpReceiver({ fault: this.#scenario.fault });
    this.#receivers.push(await receiver.listen(this.#port));
  }

  #digest(): void {
    for (const { spans } of this.#receivers) {
      for (const { resource: _, ...span } of spans.splice(0)) {
        const content = createHash('sha1').update(JSON.stringify(span)).digest('base64');
        const before = this.#seen.get(span.spanId);
        if (before === undefined) this.#seen.set(span.spanId, content);
        else if (before === content) this.exactCopies++;
        else this.otherCopies++;
      }
    }
  }
}
