import { say } from '../../base/log.ts';
import { plainText } from '../../base/plain-text.ts';
import { readConfig } from '../../config.ts';
import { withoutSecrets } from '../../export/sender-voice.ts';
import { kinshipFaults, type Trace } from '../../viewer/trace.ts';
import { renderTrace } from '../../viewer/trace-tree.ts';
import { parseArguments } from '../arguments.ts';
import { CleanUp } from './clean-up.ts';
import { usablePort } from './usable-port.ts';
import { startDatabase } from './database.ts';
import { OtlpRelay, probeCollector } from './otlp-relay.ts';
import { scenes } from './scenes.ts';
import { startShop } from './shop.ts';

const HELP = `Usage: clew demo [options]

Starts a PostgreSQL and a small shop service that has no tracing code, the shop
under \`node --import clew/register\`; sends it requests and shows the traces.

Options
  --once     end after the requests; the exit code is 1 if a span lost its parent
  --port N   where the shop listens; default: a free port
  --help     show this text

Environment
  DATABASE_URL                  a PostgreSQL to use instead of the embedded one
  OTEL_EXPORTER_OTLP_ENDPOINT   where OTLP/HTTP is looked for (http://127.0.0.1:4318)
  JAEGER_URL                    where the links lead (http://127.0.0.1:16686)`;

/** `clew demo`: resolves to the exit code once everything it started is stopped again. */
export async function demo(args: string[]): Promise<number> {
  const options = parseArguments(args, {
    once: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  });
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const port = await usablePort(options.port);
  const cleanUp = new CleanUp();
  const interruption = new AbortController();
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        interruption.abort();
        resolve(0);
      });
    }
  });
  const played = play({ cleanUp, port, once: options.once, interrupted: interruption.signal });
  try {
    return await Promise.race([played, interrupted]);
  } finally {
    // What an interrupt cuts short may fail when things stop under it; nobody waits for that.
    played.catch(() => undefined);
    await cleanUp.run();
  }
}

interface Play {
  cleanUp: CleanUp;
  /** Where the shop listens; 0 for any free port. */
  port: number;
  once: boolean;
  interrupted: AbortSignal;
}

async function play({ cleanUp, port, once, interrupted }: Play): Promise<number> {
  const { config, problems } = readConfig({}, process.env);
  for (const { message } of problems) say('warn', message);
  const collectorUrl = config.tracesUrl;

  progress('database', process.env['DATABASE_URL'] ? 'DATABASE_URL' : 'embedded PostgreSQL');
  const [database, missing] = await Promise.all([
    startDatabase(process.env['DATABASE_URL'], cleanUp),
    probeCollector(collectorUrl),
  ]);
  const relay = await OtlpRelay.start(missing ? undefined : collectorUrl);
  cleanUp.add(() => relay.stop());
  progress('shop', 'node --import clew/register examples/shop/server.js');
  const shop = await startShop({ database, otlpUrl: relay.url, port, cleanUp });
  progress(
    'spans',
    missing
      ? `no collector at ${new URL(collectorUrl).origin} (${missing}): shown here`
      : `sent to ${withoutSecrets(collectorUrl)}`,
  );

  const view = new TraceView(!missing);
  for (const scene of scenes) {
    console.log(`\n${scene.title}`);
    const before = new Set(relay.store.traces);
    await Promise.all(scene.requests.map((request) => send(shop.url, request)));
    view.show(await relay.newTraces(before, scene.requests.length));
  }
  const faults = view.summary(
    scenes.reduce((sum, scene) => sum + scene.requests.length, 0),
    relay.refused,
  );
  if (once) return faults === 0 ? 0 : 1;

  console.log(`\nThe shop listens at ${shop.url}: try curl ${shop.url}/products\nCtrl-C stops it.`);
  // Until the shop ends or somebody interrupts: show what comes.
  const ended = shop.exited.then(() => undefined);
  for (;;) {
    const before = new Set(relay.store.traces);
    const traces = await Promise.race([relay.newTraces(before, 1), ended]);
    if (traces === undefined) break;
    if (traces.length > 0) console.log('');
    view.show(traces);
  }
  if (!interrupted.aborted) console.error('The shop has ended by itself.');
  return 1;
}

function progress(part: string, text: string): void {
  console.log(`${part.padEnd(10)}${text}`);
}

async function send(url: string, request: string): Promise<void> {
  const [method = 'GET', path = '/'] = request.split(' ');
  const response = await fetch(`${url}${path}`, { method });
  await response.arrayBuffer();
}

/** Prints traces, and counts what was wrong with them. */
class TraceView {
  readonly #linked: boolean;
  readonly #jaegerUrl = (process.env['JAEGER_URL'] ?? 'http://127.0.0.1:16686').replace(/\/$/, '');
  #traces = 0;
  #spans = 0;
  #faults = 0;

  constructor(linked: boolean) {
    this.#linked = linked;
  }

  show(traces: Trace[]): void {
    const width = Math.min(process.stdout.columns ?? 80, 100);
    for (const trace of traces) {
      this.#traces += 1;
      this.#spans += trace.size;
      const color = process.stdout.isTTY && !process.env['NO_COLOR'];
      for (const line of renderTrace(trace, { width, color })) console.log(line);
      if (this.#linked) console.log(`${this.#jaegerUrl}/trace/${trace.traceId}`);
      for (const fault of kinshipFaults(trace)) {
        this.#faults += 1;
        console.log(`LOST  ${plainText(fault)}`);
      }
    }
  }

  /** Prints the totals and returns the number of faults, missing traces among them. */
  summary(expected: number, refused: string | undefined): number {
    const faults = this.#faults + Math.max(0, expected - this.#traces);
    const lost = faults === 0 ? 'every span has its parent' : `${faults} lost`;
    console.log(`\n${expected} requests, ${this.#traces} traces, ${this.#spans} spans: ${lost}`);
    if (refused) console.log(`The collector did not take all of them: ${plainText(refused)}`);
    return faults + (refused ? 1 : 0);
  }
}
