import { columnsOf } from '../../base/columns.ts';
import { say } from '../../base/log.ts';
import { plainText } from '../../base/plain-text.ts';
import { readConfig } from '../../config.ts';
import { withoutSecrets } from '../../export/sender/delivery-log.ts';
import type { ConsumerSpans } from '../../instrumentation/messaging/messaging-settings.ts';
import { kinshipFaults } from '../../viewer/kinship.ts';
import type { Trace } from '../../viewer/store.ts';
import { extentOf } from '../../viewer/request-row.ts';
import { boundedRow, shortened } from '../../viewer/outline.ts';
import { renderTrace } from '../../viewer/trace-tree.ts';
import { parseArguments } from '../arguments.ts';
import { printJson } from '../output.ts';
import { probeCollector } from '../view/collector.ts';
import { openBrowser } from '../view/open-browser.ts';
import { CleanUp } from './clean-up.ts';
import { usablePort } from './usable-port.ts';
import { checkPeers, startDatabase } from './database.ts';
import { OtlpRelay } from './otlp-relay.ts';
import { startOrders, withoutQueue, type LogLine } from './orders.ts';
import { ordersScene, scenes } from './scenes.ts';
import { resourceSpans, startShop } from './shop.ts';

const HELP = `Usage: clew demo [options]

Starts a PostgreSQL and a small shop service that has no tracing code, the shop
under \`node --import clew/register\`; sends it requests and shows the traces.

Options
  --once     end after the requests; exit status 1 if a span lost its parent
  --port N   where the shop listens; default: a free port
  --open     open the page with the traces in a browser
  --json     the same as --once, and print what happened as JSON
             (clew.output.schema.json)
  --help     show this text

Environment
  DATABASE_URL                  a PostgreSQL to use instead of the embedded one
  REDIS_URL                     a Redis: one more request queues a job, which
                                another process works on
  CLEW_CONSUMER_SPAN            child: that job is in the trace of its request
  OTEL_EXPORTER_OTLP_ENDPOINT   the collector; default: http://127.0.0.1:4318
  JAEGER_URL                    where the links lead (http://127.0.0.1:16686)`;

/** `clew demo`: resolves to the exit code once everything it started is stopped again. */
export async function demo(args: string[]): Promise<number> {
  const options = parseArguments(args, {
    once: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
    open: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  checkPeers(process.env['DATABASE_URL']);
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
  const { open, json } = options;
  const once = options.once || json;
  const played = play({ cleanUp, port, once, open, json, interrupted: interruption.signal });
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
  /** Whether the page is opened in a browser. */
  open: boolean;
  /** Whether JSON is printed at the end, and nothing else. */
  json: boolean;
  interrupted: AbortSignal;
}

async function play({ cleanUp, port, once, open, json, interrupted }: Play): Promise<number> {
  const print = json ? (): void => undefined : (line: string) => console.log(line);
  const progress = (part: string, text: string): void => print(`${part.padEnd(10)}${text}`);
  const { config, problems } = readConfig({}, process.env);
  for (const { message } of problems) say('warn', message);
  const collectorUrl = config.tracesUrl;

  progress('database', process.env['DATABASE_URL'] ? 'DATABASE_URL' : 'embedded PostgreSQL');
  const [database, missing] = await Promise.all([
    startDatabase(process.env['DATABASE_URL'], cleanUp),
    probeCollector(collectorUrl),
  ]);
  const view = new TraceView(!missing, print);
  const relay = await OtlpRelay.start({
    forwardTo: missing ? undefined : collectorUrl,
    awaited: collectorUrl,
    onCollector: (url) => {
      view.linked = true;
      progress('spans', `sent to ${withoutSecrets(url)} from now on`);
    },
    hasResources: Number(resourceSpans) > 0,
  });
  cleanUp.add(() => relay.stop());
  progress('shop', 'node --import clew/register examples/shop/server.js');
  const redisUrl = process.env['REDIS_URL'] ?? '';
  const without = withoutQueue(redisUrl);
  progress('queue', without ?? 'node --import clew/register examples/orders/main.js, twice');
  const parts = { database, otlpUrl: relay.url, cleanUp };
  const [shop, orders] = await Promise.all([
    startShop({ ...parts, port }),
    without ? undefined : startOrders({ ...parts, redisUrl }),
  ]);
  progress(
    'spans',
    missing
      ? `no collector at ${new URL(collectorUrl).origin} (${missing}): shown here`
      : `sent to ${withoutSecrets(collectorUrl)}`,
  );

  const played: { title: string; requests: object[] }[] = [];
  for (const scene of scenes) {
    print(`\n${scene.title}`);
    const before = new Set(relay.store.traces);
    await Promise.all(scene.requests.map((request) => send(shop.url, request)));
    const traces = await relay.newTraces(before, scene.requests.length);
    view.show(traces);
    const rows = traces.map((trace) => boundedRow(relay.rowOf(trace)));
    played.push({ title: scene.title, requests: rows });
  }
  let requests = scenes.reduce((sum, scene) => sum + scene.requests.length, 0);
  let expected = requests;
  if (orders) {
    const { title } = ordersScene;
    print(`\n${title}`);
    const before = new Set(relay.store.traces);
    await Promise.all(ordersScene.requests.map((request) => send(orders.url, request)));
    const count = isChild(config.consumerSpans) ? 1 : 2;
    const traces = (await relay.newTraces(before, count, 'CONSUMER')).toSorted(byStart);
    view.show(traces);
    for (const line of orders.lines) print(logLine(line));
    played.push({ title, requests: traces.map((trace) => boundedRow(relay.rowOf(trace))) });
    requests += ordersScene.requests.length;
    expected += count;
  }
  const faults = view.summary(requests, expected, relay.refused);
  if (json) {
    printJson('demo', {
      scenes: played,
      ...view.totals,
      faults,
      ...(missing ? {} : { sentTo: withoutSecrets(collectorUrl) }),
      ...(relay.refused ? { refused: shortened(relay.refused, 300) } : {}),
    });
  }
  if (once) return faults === 0 ? 0 : 1;

  console.log(`\nThe shop listens at ${shop.url}: try\n  curl ${shop.url}/products`);
  if (orders) console.log(`Orders are queued by curl -X POST ${orders.url}/orders/1/1`);
  console.log(`The traces are on a page: ${relay.pageUrl}\nCtrl-C stops it.`);
  if (open) openBrowser(relay.pageUrl);
  // Until the shop ends or somebody interrupts: show what comes.
  const ended = shop.exited.then(() => undefined);
  for (;;) {
    const before = new Set(relay.store.traces);
    const traces = await Promise.race([relay.newTraces(before, 1), ended]);
    if (traces === undefined) break;
    if (traces.length > 0) console.log('');
    view.show(traces);
  }
  if (!interrupted.aborted) console.error('The shop ended unexpectedly.');
  return 1;
}

/** Whether a job is in the trace of the request that queued it. */
function isChild(choices: ConsumerSpans): boolean {
  return (choices['bullmq'] ?? choices['all']) === 'child';
}

function byStart(a: Trace, b: Trace): number {
  return extentOf(a)[0] < extentOf(b)[0] ? -1 : 1;
}

/** Of a trace that begins with a message: the producer's span among `traces`, by its name. */
function producerOf(trace: Trace, traces: readonly Trace[]): string | undefined {
  const first = trace.kinship.root?.of.span;
  if (first?.kind !== 'CONSUMER') return undefined;
  const ids = new Set(first.links.map(({ spanId }) => spanId));
  return traces.flatMap(({ spans }) => spans).find(({ spanId }) => ids.has(spanId))?.name;
}

/** A line of a log, with the trace that it belongs to. */
function logLine({ name, msg, trace_id }: LogLine): string {
  const [role, message, traceId] = [name, msg, trace_id].map((part) =>
    typeof part === 'string' ? plainText(part) : '-',
  );
  return `log  ${role}: ${message}  trace_id ${traceId}`;
}

async function send(url: string, request: string): Promise<void> {
  const [method = 'GET', path = '/'] = request.split(' ');
  const response = await fetch(`${url}${path}`, { method });
  await response.arrayBuffer();
}

/** Prints traces, and counts what was wrong with them. */
class TraceView {
  /** Whether each trace has a link to Jaeger. */
  linked: boolean;
  readonly #jaegerUrl = (process.env['JAEGER_URL'] ?? 'http://127.0.0.1:16686').replace(/\/$/, '');
  #traces = 0;
  #spans = 0;
  #faults = 0;

  readonly #print: (line: string) => void;

  constructor(linked: boolean, print: (line: string) => void) {
    this.linked = linked;
    this.#print = print;
  }

  get totals(): { traces: number; spans: number } {
    return { traces: this.#traces, spans: this.#spans };
  }

  show(traces: Trace[]): void {
    const width = columnsOf(process.stdout);
    for (const trace of traces) {
      const producer = producerOf(trace, traces);
      if (producer) this.#print(`linked to: ${plainText(producer)}`);
      this.#traces += 1;
      this.#spans += trace.size;
      const color = process.stdout.isTTY && !process.env['NO_COLOR'];
      for (const line of renderTrace(trace, { width, color, withoutSums: true })) this.#print(line);
      if (this.linked) this.#print(`${this.#jaegerUrl}/trace/${trace.traceId}`);
      for (const fault of kinshipFaults(trace.kinship)) {
        this.#faults += 1;
        this.#print(`LOST  ${plainText(fault)}`);
      }
    }
  }

  /** Prints the totals and returns the number of faults, missing traces among them. */
  summary(requests: number, expected: number, refused: string | undefined): number {
    const faults = this.#faults + Math.max(0, expected - this.#traces);
    const lost = faults === 0 ? 'every span has its parent' : `${faults} lost`;
    this.#print(`\n${requests} requests, ${this.#traces} traces, ${this.#spans} spans: ${lost}`);
    if (refused) this.#print(`The collector did not accept all of them: ${plainText(refused)}`);
    return faults + (refused ? 1 : 0);
  }
}
