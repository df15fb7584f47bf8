import type { Fault, ReceivedRequest } from '../../support/otlp-receiver.ts';

/** One row: what the program does, and what the collector does meanwhile. */
export interface Scenario {
  title: string;
  /** The fixture's way to end. */
  end: string;
  /** Spans that end. */
  count: number;
  env?: Record<string, string>;
  nodeOptions?: string[];
  signal?: NodeJS.Signals;
  /** How the program ends without a pipeline: code, or signal. */
  status: number | NodeJS.Signals;
  fault?: (request: ReceivedRequest) => Fault | undefined;
  /** The collector is away in this window after the start, in milliseconds. */
  outage?: [from: number, to: number];
  /** Spans that the collector itself refuses: nobody can deliver those. */
  refused?: number;
  /** Run our pipeline with a spool, and start the program once more to deliver it. */
  spool?: boolean;
  /** No span may arrive twice, not even as an exact copy. */
  once?: boolean;
  options?: Record<string, unknown>;
  /** It takes minutes in which almost nothing happens: all Nodes run it beside everything else. */
  isIdle?: boolean;
}

export interface Group {
  title: string;
  /** Scenarios that mostly wait run side by side. */
  parallel: boolean;
  isLong?: boolean;
  scenarios: Scenario[];
}

const first =
  (requests: number, fault: Fault) =>
  ({ index }: ReceivedRequest): Fault | undefined =>
    index < requests ? fault : undefined;

function ends(): Scenario[] {
  const codes: [end: string, status: number][] = [
    ['natural', 0],
    ['beforeExit', 0],
    ['process.exit', 3],
    ['process.exit in a callback', 3],
    ['uncaught exception', 1],
    ['uncaught exception in a callback', 1],
    ['unhandled rejection', 1],
    ['worker thread', 0],
    ['worker thread process.exit', 0],
    ['cluster worker disconnect', 0],
    ['cluster worker kill', 0],
    ['forked child', 0],
  ];
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  return [
    ...codes.map(([end, status]) => ({ title: end, end, status, count: 1000 })),
    ...signals.map((signal) => {
      return { title: `${signal}, a server`, end: 'signal', signal, status: signal, count: 1000 };
    }),
  ];
}

function troubles(): Scenario[] {
  const shutdown = { end: 'shutdown', count: 1000, status: 0 };
  const statuses = [408, 429, 500, 502, 503, 504, 401];
  return [
    ...statuses.map((status) => {
      return { ...shutdown, title: `${status} twice, then 200`, fault: first(2, { status }) };
    }),
    {
      ...shutdown,
      title: 'connection cut twice before the spans are taken',
      fault: first(2, { reset: 'before' }),
    },
    {
      ...shutdown,
      title: 'connection cut twice after the spans were taken',
      fault: first(2, { reset: 'after' }),
    },
    { ...shutdown, title: 'never answers the first request', fault: first(1, { hang: true }) },
    {
      ...shutdown,
      title: '413 above 300 spans',
      fault: ({ spans }) => (spans.length > 300 ? { status: 413 } : undefined),
    },
    {
      ...shutdown,
      title: '400 for the one poison span',
      fault: ({ spans }) => {
        return spans.some(({ name }) => name === 'span 77') ? { status: 400 } : undefined;
      },
      refused: 1,
    },
    {
      ...shutdown,
      title: 'partial success rejects a tenth',
      fault: () => ({ rejectSpans: ({ name }) => name.endsWith('7') }),
      refused: 100,
    },
  ];
}

function outages(): Scenario[] {
  const retryAfter = (seconds: number): Fault => {
    return { status: 429, headers: { 'retry-after': String(seconds) } };
  };
  const rate = (
    perSecond: number,
    millis: number,
  ): Pick<Scenario, 'end' | 'count' | 'env' | 'status'> => {
    const env = { RATE: String(perSecond), MILLIS: String(millis) };
    return { end: 'rate', count: (perSecond * millis) / 1000, env, status: 0 };
  };
  return [
    {
      ...rate(20, 35_000),
      title: '429 with Retry-After: 30 once, 20 spans/s for 35 s',
      fault: first(1, retryAfter(30)),
    },
    {
      ...rate(1000, 75_000),
      title: '1,000 spans/s, collector away for 60 s',
      outage: [5000, 65_000],
    },
    {
      ...rate(100, 612_000),
      title: '100 spans/s, collector away for 10 min',
      outage: [5000, 605_000],
      isIdle: true,
    },
  ];
}

function bursts(): Scenario[] {
  const burst = (count: number): Scenario => ({
    title: `${count.toLocaleString('en')} spans in one tick, shutdown awaited`,
    end: 'shutdown',
    count,
    env: { COUNT: String(count) },
    status: 0,
  });
  return [
    burst(2000),
    burst(10_000),
    burst(50_000),
    { ...burst(50_000), title: '50,000 spans in one tick, natural end', end: 'natural' },
    {
      title: '5,000 spans/s for 10 s, each answer takes 500 ms',
      end: 'rate',
      env: { RATE: '5000', MILLIS: '10000' },
      count: 50_000,
      status: 0,
      fault: () => ({ delayMillis: 500 }),
    },
  ];
}

function crashes(): Scenario[] {
  const nodeOptions = ['--max-old-space-size=96'];
  const crash = { count: 1000, spool: true };
  return [
    { ...crash, title: 'SIGKILL', end: 'SIGKILL', status: 'SIGKILL', once: true },
    {
      ...crash,
      title: 'SIGKILL, half of the spans delivered',
      end: 'SIGKILL after a delivery',
      status: 'SIGKILL',
      once: true,
    },
    {
      ...crash,
      title: 'SIGKILL amid 1,000 spans/s',
      end: 'SIGKILL amid traffic',
      count: 3000,
      env: { RATE: '1000', MILLIS: '3000' },
      status: 'SIGKILL',
    },
    {
      ...crash,
      title: 'out of memory',
      end: 'out of memory',
      status: 'SIGABRT',
      nodeOptions,
      once: true,
    },
    { ...crash, title: 'process.abort', end: 'abort', status: 'SIGABRT', once: true },
  ];
}

export const GROUPS: Group[] = [
  { title: 'The process ends', parallel: false, scenarios: ends() },
  {
    title: 'The process crashes, and starts again (ours with CLEW_SPOOL)',
    parallel: false,
    scenarios: crashes(),
  },
  { title: 'The collector is in trouble', parallel: true, scenarios: troubles() },
  { title: 'Bursts and a slow collector', parallel: false, scenarios: bursts() },
  { title: 'Outages', parallel: true, isLong: true, scenarios: outages() },
];
