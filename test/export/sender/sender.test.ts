import assert from 'node:assert/strict';

import { readRequest } from '../../../src/export/encoding/otlp-json.ts';
import type { Clock, Timer } from '../../../src/export/sender/clock.ts';
import { Counters, DROP_REASONS } from '../../../src/export/sender/counters.ts';
import { DeliveryLog } from '../../../src/export/sender/delivery-log.ts';
import type { Outcome } from '../../../src/export/sender/outcome.ts';
import { Sender, type Transport } from '../../../src/export/sender/sender.ts';
import type { DrainLimits, SenderOptions } from '../../../src/export/sender/sender-options.ts';
import { makeSlice, makeSpan } from '../support/spans.ts';

const ACCEPTED: Outcome = { kind: 'accepted', rejected: 0, message: '' };
const AWAY: Outcome = { kind: 'unavailable', reason: 'away', advice: 'Wait.', mayBePoison: false };
const POISONED: Outcome = { ...AWAY, mayBePoison: true };

const FLUSH: DrainLimits = {
  stallMillis: 500,
  failingMillis: 0,
  totalMillis: 5000,
  atExit: false,
};

/** Time that stands still until a test turns it on. */
class TestClock implements Clock {
  #now = 0;
  #timers: { at: number; fn: () => void; isUnref: boolean }[] = [];

  now(): number {
    return this.#now;
  }

  setTimeout(fn: () => void, millis: number): Timer {
    const timer = { at: this.#now + millis, fn, isUnref: false };
    this.#timers.push(timer);
    return {
      unref: () => void (timer.isUnref = true),
      cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)),
    };
  }

  /** Whether a timer keeps the process alive. */
  get holdsProcess(): boolean {
    return this.#timers.some(({ isUnref }) => !isUnref);
  }

  get isIdle(): boolean {
    return this.#timers.length === 0;
  }

  async pass(millis: number): Promise<void> {
    const end = this.#now + millis;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.fn();
      await settled();
    }
    this.#now = end;
    await settled();
  }
}

/** Lets promises that are settled call back. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** A collector whose answers a test gives. */
class TestCollector implements Transport {
  /** The names of the spans of each request. */
  readonly requests: string[][] = [];
  isClosed = false;
  /** Undefined keeps the request under way. */
  judge: (names: string[]) => Outcome | undefined = () => ACCEPTED;
  readonly waiting: ((outcome: Outcome) => void)[] = [];

  async post(body: Buffer): Promise<Outcome> {
    const names = namesIn(body);
    this.requests.push(names);
    return (
      this.judge(names) ??
      (await new Promise<Outcome>((resolve) => void this.waiting.push(resolve)))
    );
  }

  close(): void {
    this.isClosed = true;
  }
}

interface Request {
  resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[];
}

function namesIn(body: Buffer): string[] {
  const { resourceSpans } = readRequest(body) as Request;
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans.map(({ name }) => name));
}

describe('Sender', () => {
  let clock: TestClock;
  let collector: TestCollector;
  let counters: Counters;
  let lines: string[];
  let sent: number;
  let sender: Sender;

  function begin(options: Partial<SenderOptions> = {}): void {
    clock = new TestClock();
    collector = new TestCollector();
    counters = new Counters();
    lines = [];
    sent = 0;
    const log = new DeliveryLog('http://127.0.0.1:4318/v1/traces', (level, line) => {
      lines.push(`${level}: ${line}`);
    });
    const all: SenderOptions = {
      target: {
        url: 'http://127.0.0.1:4318/v1/traces',
        protocol: 'http/protobuf',
        compression: 'none',
        headers: {},
        timeoutMillis: 1000,
      },
      maxInFlight: 4,
      maxBatchBytes: 1024 * 1024,
      maxBatchSpans: 100,
      maxQueueBytes: 1024 * 1024,
      maxQueueSpans: 1000,
      onOverflow: 'drop-oldest',
      backoff: { initialMillis: 1000, maxMillis: 8000 },
      maxRefusals: 3,
      ...options,
    };
    sender = new Sender(all, counters, collector, clock, log);
  }

  beforeEach(() => begin());

  async function add(...names: string[]): Promise<void> {
    sent += names.length;
    sender.add(
      makeSlice(
        names.map((name) => makeSpan({ name })),
        sent,
      ),
    );
    await settled();
  }

  /** Every span is somewhere. */
  afterEach(() => {
    const counts = counters.read();
    const dropped = DROP_REASONS.reduce((sum, reason) => sum + counts[reason], 0);
    assert.equal(counts.accepted + counts.rejected + counts.queued + dropped, sent);
  });

  it('sends the first spans at once, and lets the next wait a moment for company', async () => {
    await add('a');
    assert.deepEqual(collector.requests, [['a']]);
    await add('b');
    await add('c');
    assert.equal(collector.requests.length, 1);
    await clock.pass(99);
    assert.equal(collector.requests.length, 1);
    await clock.pass(1);
    assert.deepEqual(collector.requests[1], ['b', 'c']);
    assert.equal(counters.get('accepted'), 3);
    assert.equal(clock.isIdle, true);
  });

  it('keeps a batch that finds the collector away, and waits longer each time', async () => {
    collector.judge = () => AWAY;
    await add('a');
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const before = clock.now();
      const count = collector.requests.length;
      while (collector.requests.length === count) await clock.pass(10);
      waits.push(clock.now() - before);
    }
    for (const [i, wait] of waits.entries()) {
      const full = Math.min(8000, 1000 * 2 ** i);
      assert.ok(wait >= full / 2 && wait <= full + 10, `${i + 1}: ${wait} of ${full}`);
    }
    assert.equal(counters.get('queued'), 1);
    assert.equal(clock.holdsProcess, false);
    assert.equal(lines.length, 1, lines.join('\n'));
    collector.judge = () => ACCEPTED;
    await clock.pass(8000);
    assert.equal(counters.get('accepted'), 1);
    assert.match(lines[1] ?? '', /^info: The collector at .* accepts spans again/);
  });

  it('asks with one request at a time while the collector is away, and with more when it is not', async () => {
    begin({ maxBatchSpans: 1 });
    collector.judge = () => AWAY;
    await add('a', 'b', 'c');
    assert.equal(collector.requests.length, 1);
    collector.judge = () => undefined;
    const drained = sender.drain(FLUSH);
    await settled();
    assert.equal(collector.requests.length, 2);
    collector.waiting[0]?.(ACCEPTED);
    await settled();
    assert.equal(collector.requests.length, 4);
    for (const answer of collector.waiting) answer(ACCEPTED);
    await drained;
    assert.equal(counters.get('accepted'), 3);
  });

  it('comes back when the collector asked it to, and not before', async () => {
    collector.judge = () => ({ ...AWAY, retryAfterMillis: 30_000 });
    await add('a');
    collector.judge = () => ACCEPTED;
    await clock.pass(29_999);
    assert.equal(collector.requests.length, 1);
    await clock.pass(1);
    assert.equal(counters.get('accepted'), 1);
  });

  it('halves what is too large, down to the span that is', async () => {
    collector.judge = (names) =>
      names.includes('large') ? { kind: 'too-large', reason: 'too large', advice: '' } : ACCEPTED;
    await add('a', 'b', 'large', 'c');
    await clock.pass(1000);
    assert.equal(counters.get('accepted'), 3);
    assert.equal(counters.get('refused'), 1);
  });

  it('finds the span that the collector cannot read', async () => {
    collector.judge = (names) =>
      names.includes('bad') ? { kind: 'malformed', reason: '400', advice: '' } : ACCEPTED;
    await add('a', 'bad', 'b');
    await clock.pass(1000);
    assert.equal(counters.get('accepted'), 2);
    assert.equal(counters.get('refused'), 1);
    assert.match(lines.join('\n'), /Set aside 1 span/);
  });

  it('suspects a batch that fails while others pass', async () => {
    begin({ maxBatchSpans: 2 });
    collector.judge = (names) => (names.includes('poison') ? POISONED : ACCEPTED);
    await add('poison', 'a');
    for (let i = 0; i < 20; i++) {
      await add(`other ${i}`);
      await clock.pass(10_000);
    }
    assert.equal(counters.get('accepted'), 21);
    assert.equal(counters.get('refused'), 1);
  });

  it('sets a batch aside that the collector refuses too often', async () => {
    collector.judge = () => ({ kind: 'refused', reason: '401', advice: '', status: 401 });
    await add('a', 'b');
    await clock.pass(60_000);
    assert.equal(collector.requests.length, 3);
    assert.equal(counters.get('refused'), 2);
  });

  it('drops the oldest where there is no room', async () => {
    begin({ maxQueueSpans: 2 });
    collector.judge = () => AWAY;
    for (const name of ['a', 'b', 'c']) await add(name);
    assert.equal(counters.get('overflow'), 1);
    collector.judge = () => ACCEPTED;
    await clock.pass(60_000);
    assert.deepEqual(collector.requests.slice(1).flat().toSorted(), ['b', 'c']);
  });

  it('drops the newest where it is configured to', async () => {
    begin({ maxQueueSpans: 2, onOverflow: 'drop-newest' });
    collector.judge = () => AWAY;
    for (const name of ['a', 'b', 'c']) await add(name);
    assert.equal(counters.get('overflow'), 1);
    collector.judge = () => ACCEPTED;
    await clock.pass(60_000);
    assert.deepEqual(collector.requests.slice(1).flat().toSorted(), ['a', 'b']);
  });

  it('drains what waits, against a pause too, and holds the process meanwhile', async () => {
    collector.judge = () => ({ ...AWAY, retryAfterMillis: 60_000 });
    await add('a');
    collector.judge = () => undefined;
    let isOver = false;
    void sender.drain(FLUSH).then(() => (isOver = true));
    await settled();
    assert.equal(collector.requests.length, 2);
    assert.equal(clock.holdsProcess, true);
    collector.waiting[0]?.(ACCEPTED);
    await settled();
    assert.equal(isOver, true);
  });

  it('gives up draining when the collector takes nothing, and counts what it leaves at the end', async () => {
    collector.judge = () => undefined;
    await add('a', 'b');
    let isOver = false;
    void sender.drain(FLUSH).then(() => (isOver = true));
    await clock.pass(400);
    assert.equal(isOver, false);
    await clock.pass(200);
    assert.equal(isOver, true);
    sender.close();
    assert.equal(counters.get('exit'), 2);
    assert.equal(collector.isClosed, true);
    assert.equal(clock.isIdle, true);
    // The answer that comes too late changes nothing.
    collector.waiting[0]?.(ACCEPTED);
    await settled();
    assert.equal(counters.get('accepted'), 0);
  });
});
