import type { Metrics } from '../harness/group.ts';
import type { Load, Loaded } from '../harness/load.ts';
import { Answerer } from './process.ts';
import { publishedFolder } from './published.ts';
import { applicationFolder, VARIANTS, type Variant } from './variants.ts';

/** What one round of requests cost the service of one variant. */
export interface Round extends Metrics {
  /** Microseconds of CPU for a request: of the process, and of its main thread (Node 24 and later). */
  cpu: number;
  main: number;
  /** Requests in a second of wall time, as fast as the service answers. */
  rate: number;
  /** The latency that a hundredth of the requests exceed, in milliseconds. */
  p99: number;
  /** Resident memory of the process after the round, in megabytes. */
  memory: number;
  /** Bytes sent to the collector for a request. */
  bytes: number;
}

interface Usage {
  cpu: number;
  main: number;
  memory: number;
}

const REQUEST = 'GET /products/42 HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** In the first ten thousand requests the compiler is at work: they cost up to twice as much, under each tool. */
const WARM_UP = 10_000;

/** One variant of the service, running, with a collector and a load of its own. */
export class Running {
  readonly #variant: Variant;
  readonly #service: Answerer<{ port: number }>;
  readonly #collector: Answerer<{ port: number }>;
  readonly #load: Answerer<unknown>;
  readonly #connections: number;

  private constructor(
    variant: Variant,
    service: Answerer<{ port: number }>,
    collector: Answerer<{ port: number }>,
    load: Answerer<unknown>,
    connections: number,
  ) {
    this.#variant = variant;
    this.#service = service;
    this.#collector = collector;
    this.#load = load;
    this.#connections = connections;
  }

  static async start(name: string, framework: string, connections: number): Promise<Running> {
    return Running.startVariant(VARIANTS[name]!, framework, connections);
  }

  static async startVariant(
    variant: Variant,
    framework: string,
    connections: number,
  ): Promise<Running> {
    const folder = applicationFolder();
    const env = { ...process.env, APP_FOLDER: folder };
    const collector = await Answerer.start<{ port: number }>('./collector.js', [], { env });
    const url = `http://127.0.0.1:${collector.hello.port}`;
    const service = await Answerer.start<{ port: number }>('./service.js', [framework], {
      env: { ...env, ...variant.env(url) },
      execArgv: [...variant.args(folder)],
      cwd: publishedFolder(),
    });
    const load = await Answerer.start('../harness/load.js', [], {});
    return new Running(variant, service, collector, load, connections);
  }

  /** Throws unless the variant records what it is measured for. */
  async preflight(name: string): Promise<void> {
    const deadline = performance.now() + 30_000;
    const quietUntil = performance.now() + 3000;
    let most: string[] = [];
    // Each tool sends in its own time. A trace counts with all that came of it.
    const found: Record<string, string[]> = {};
    while (performance.now() < deadline) {
      await this.#collector.ask('keep');
      await this.#send(5);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const { traces } = await this.#collector.ask<{ traces: Record<string, string[]> }>('traces');
      for (const [trace, names] of Object.entries(traces)) (found[trace] ??= []).push(...names);
      most = Object.values(found).toSorted((a, b) => b.length - a.length)[0] ?? [];
      // What no span is expected of is given the time to send one.
      if (this.#variant.spans > 0 && most.length >= this.#variant.spans) break;
      if (this.#variant.spans === 0 && performance.now() > quietUntil) break;
    }
    if (this.#variant.spans === 0 ? most.length > 0 : most.length < this.#variant.spans) {
      throw new Error(
        `${name} recorded ${most.length} spans of a request (${most.join(', ')}), ` +
          `not ${this.#variant.spans}`,
      );
    }
  }

  async warmUp(): Promise<void> {
    await this.#send(WARM_UP);
  }

  async round(count: number): Promise<Round> {
    await this.#collector.ask('bytes');
    const before = await this.#service.ask<Usage>('usage');
    const { elapsed, p99 } = await this.#send(count);
    const after = await this.#service.ask<Usage>('usage');
    const { bytes } = await this.#collector.ask<{ bytes: number }>('bytes');
    return {
      cpu: (after.cpu - before.cpu) / count,
      main: (after.main - before.main) / count,
      rate: (count / elapsed) * 1000,
      p99,
      memory: after.memory / 2 ** 20,
      bytes: bytes / count,
    };
  }

  async stop(): Promise<void> {
    await this.#service.stop();
    await this.#collector.stop();
    await this.#load.stop();
  }

  #send(count: number): Promise<Loaded> {
    const { port } = this.#service.hello;
    const load: Load = { port, count, request: REQUEST, connections: this.#connections };
    return this.#load.ask<Loaded>(load);
  }
}
