/*
 * Traces that are made up, in OTLP's JSON: for what an application cannot be asked to do on demand
 * (ten thousand spans, hostile values, hundreds of requests at once). The same each time.
 */

export interface MadeSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: MadeAttribute[];
  status?: { code: number; message?: string };
  events?: { name: string; timeUnixNano: string; attributes: MadeAttribute[] }[];
  links?: { traceId: string; spanId: string; attributes: MadeAttribute[] }[];
}

export interface MadeAttribute {
  key: string;
  value: { stringValue: string } | { doubleValue: number } | { intValue: string };
}

export const START_MS: number = Date.UTC(2026, 10, 29, 12, 0, 0);

/** An export request. */
export function exportRequest(spans: readonly MadeSpan[], service = 'shop'): object {
  return {
    resourceSpans: [
      {
        resource: {
          attributes: attributes({ 'service.name': service, 'host.name': 'workshop' }),
        },
        scopeSpans: [{ scope: { name: 'clew/http', version: '0.1.0' }, spans }],
      },
    ],
  };
}

export function attributes(of: Record<string, string | number>): MadeAttribute[] {
  return Object.entries(of).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { doubleValue: value } : { stringValue: value },
  }));
}

/** Numbers from 0 to 1, the same for a seed. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

export class TraceMaker {
  readonly traceId: string;
  readonly spans: MadeSpan[] = [];
  readonly #startMs: number;

  /** `number` makes the ids; `startMs` is since 1970. */
  constructor(number: number, startMs: number = START_MS) {
    this.traceId = number.toString(16).padStart(32, 'a');
    this.#startMs = startMs;
  }

  /** Adds a span; `at` and `ms` are milliseconds since the trace's start. */
  span(
    name: string,
    options: {
      at: number;
      ms: number;
      parent?: MadeSpan | undefined;
      kind?: number;
      attributes?: Record<string, string | number>;
      error?: string;
      parts?: [running: number, io: number, loop: number];
    },
  ): MadeSpan {
    const { at, ms, parent, kind = 1, error, parts } = options;
    const span: MadeSpan = {
      traceId: this.traceId,
      spanId: (0xb00_0000 + this.spans.length).toString(16).padStart(16, '0'),
      ...(parent && { parentSpanId: parent.spanId }),
      name,
      kind,
      startTimeUnixNano: this.nanos(at),
      endTimeUnixNano: this.nanos(at + ms),
      attributes: attributes({
        ...options.attributes,
        ...(parts && {
          'clew.run.ms': parts[0],
          'clew.wait.io.ms': parts[1],
          'clew.wait.loop.ms': parts[2],
        }),
      }),
      ...(error !== undefined && { status: { code: 2, message: error } }),
    };
    this.spans.push(span);
    return span;
  }

  nanos(at: number): string {
    return String(BigInt(Math.round((this.#startMs + at) * 1e3)) * 1000n);
  }
}

/** One trace of `count` spans, `depth` levels deep, in which queries follow one another. */
export function largeTrace(count: number, number = 0xf00d): MadeSpan[] {
  const random = numbers(7);
  const trace = new TraceMaker(number, START_MS + 500);
  const total = count * 0.2;
  const root = trace.span('GET /everything', {
    at: 0,
    ms: total,
    kind: 2,
    attributes: { 'url.path': '/everything', 'http.response.status_code': 200 },
    parts: [total * 0.2, total * 0.5, total * 0.3],
  });
  let at = 0.05;
  while (trace.spans.length < count) {
    let parent = root;
    const levels = 1 + Math.floor(random() * 6);
    const block = Math.min(40, count - trace.spans.length);
    const ms = (block / count) * total * 0.98;
    for (let i = 0; i < block; i++) {
      const left = 1 - i / block;
      if (i > levels) {
        trace.span(`SELECT items_${i % 7}`, {
          at: at + (i / block) * ms,
          ms: (ms / block) * (0.4 + random() * 0.6),
          parent,
          kind: 3,
          attributes: { 'db.system.name': 'postgresql', 'db.query.text': `SELECT ${i}` },
        });
      } else {
        parent = trace.span(`step ${i}`, { at: at + (1 - left) * ms, ms: ms * left, parent });
      }
    }
    at += ms;
  }
  return trace.spans;
}

/** Requests as a busy shop has them: most are quick, a report holds the loop, some fail. */
export function shopTraces(count: number, startMs: number = START_MS): MadeSpan[] {
  const random = numbers(42);
  const spans: MadeSpan[] = [];
  for (let i = 0; i < count; i++) {
    const trace = new TraceMaker(0x1000 + i, startMs + i * 40 + random() * 30);
    spans.push(...(i % 17 === 16 ? report : random() < 0.25 ? order : orders)(trace, random));
  }
  return spans;
}

function orders(trace: TraceMaker, random: () => number): MadeSpan[] {
  const io = 3 + random() * 9;
  const loop = random() < 0.18 ? 20 + random() * 70 : random() * 0.8;
  const run = 0.5 + random();
  const total = io + loop + run;
  const id = Math.floor(random() * 900);
  const root = trace.span('GET /orders/:id', {
    at: 0,
    ms: total,
    kind: 2,
    attributes: {
      'url.path': `/orders/${id}`,
      'http.route': '/orders/:id',
      'http.response.status_code': 200,
      ...(loop > 5 && { 'clew.blocked_by': 'GET /report', 'clew.blocked_by.ms': loop * 0.96 }),
    },
    parts: [run, io, loop],
  });
  const database = { 'db.system.name': 'postgresql', 'server.address': 'localhost' };
  trace.span('pool wait', { at: 0.2, ms: 0.6, parent: root, parts: [0, 0.6, 0] });
  trace.span('SELECT orders', {
    at: 0.9,
    ms: io * 0.6 + loop,
    parent: root,
    kind: 3,
    attributes: { ...database, 'db.query.text': 'SELECT * FROM orders WHERE id = $1' },
    parts: [0.1, io * 0.6 - 0.1, loop],
  });
  trace.span('SELECT products', {
    at: 1 + io * 0.6 + loop,
    ms: io * 0.3,
    parent: root,
    kind: 3,
    attributes: { ...database, 'db.query.text': 'SELECT * FROM products WHERE id = ANY($1)' },
    parts: [0.1, io * 0.3 - 0.1, 0],
  });
  return trace.spans;
}

function order(trace: TraceMaker, random: () => number): MadeSpan[] {
  const failed = random() < 0.22;
  const root = trace.span('POST /orders', {
    at: 0,
    ms: 24,
    kind: 2,
    attributes: { 'url.path': '/orders', 'http.response.status_code': failed ? 500 : 201 },
    parts: [2.1, 20.4, 1.5],
    ...(failed && { error: 'duplicate key value violates unique constraint "orders_pkey"' }),
  });
  const database = { 'db.system.name': 'postgresql', 'db.namespace': 'shop' };
  const statements = ['BEGIN', 'UPDATE products', 'INSERT orders', failed ? 'ROLLBACK' : 'COMMIT'];
  statements.forEach((name, index) => {
    const bad = failed && name === 'INSERT orders';
    const span = trace.span(name, {
      at: 1 + index * 5.2,
      ms: 4.6,
      parent: root,
      kind: 3,
      attributes: database,
      parts: [0.2, 4.4, 0],
      ...(bad && { error: 'duplicate key value violates unique constraint "orders_pkey"' }),
    });
    if (!bad) return;
    span.events = [
      {
        name: 'exception',
        timeUnixNano: trace.nanos(1 + index * 5.2 + 4.5),
        attributes: attributes({
          'exception.type': 'DatabaseError',
          'exception.message': 'duplicate key value violates unique constraint "orders_pkey"',
          'exception.stacktrace':
            'DatabaseError: duplicate key value violates unique constraint "orders_pkey"\n' +
            '    at insertOrder (file:///app/orders.js:41:11)\n' +
            '    at async handle (file:///app/server.js:88:5)',
        }),
      },
    ];
  });
  if (random() < 0.3) {
    trace.span('send confirmation', {
      at: 30,
      ms: 6,
      kind: 3,
      attributes: { 'clew.context_loss': 'CLEW-LOST-QUEUE' },
      parent: { ...root, spanId: 'dead0000dead0000' },
    });
  }
  return trace.spans;
}

function report(trace: TraceMaker): MadeSpan[] {
  const root = trace.span('GET /report', {
    at: 0,
    ms: 118,
    kind: 2,
    attributes: { 'url.path': '/report', 'http.response.status_code': 200 },
    parts: [96, 21, 1],
  });
  trace.span('SELECT orders', { at: 1, ms: 21, parent: root, kind: 3, parts: [1, 20, 0] });
  trace.span('render report', { at: 23, ms: 94, parent: root, parts: [94, 0, 0] });
  return trace.spans;
}
