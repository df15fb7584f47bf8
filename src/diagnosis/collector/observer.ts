import { executionAsyncId } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';

import { askForNames } from '../../carry/request-names.ts';
import { nameOf } from '../finding-name.ts';
import type { FindingName } from '../finding.ts';
import { handOverIn } from '../stack-frames.ts';
import type { LossKind, Observation, RunRecord, SetupFact } from '../record.ts';
import { Anchors } from './anchors.ts';
import { ContextOrigins, type Origin } from './context-origins.ts';
import { DatadogSpans } from './datadog-spans.ts';
import { Handles, isBornIn, isLongLived, repeats } from './handles.ts';
import { isSeen, Observations, type Below, type Seen } from './observations.ts';
import { OpenSpans } from './open-spans.ts';
import { RouteCounts } from './route-counts.ts';
import type { SpanEvent, SpanSink, SpanSource } from './span-event.ts';
import { SpanNames } from './span-names.ts';
import { OtelSpans } from './span-source.ts';
import { Suspects, takeSuspects } from './suspects.ts';
import {
  Owner,
  turns,
  type Deeds,
  type Handle,
  type Request,
  type Suspect,
  type Turn,
} from './work.ts';

export interface ObserverOptions {
  /**
   * How many milliseconds after the end of a request its work on a connection is considered stale.
   */
  staleMillis: number;
  deep: boolean;
  /**
   * Decides immediately whether a span without a parent lost it, and keeps no further stacks for
   * losses that the stack does not explain. For production.
   */
  isLive?: boolean;
  /** Async resources already exist whose creation was not observed. */
  isLate?: boolean;
  onServing?: (() => void) | undefined;
  /** Called for each loss when it is detected. */
  onLoss?: ((loss: SeenLoss) => void) | undefined;
}

export interface SeenLoss {
  readonly kind: LossKind;
  readonly name: FindingName;
  /** The number of losses it adds. */
  readonly count: number;
  /** The affected spans, as their tracer made them. */
  readonly spans: readonly object[];
  /** The root span of the request it belongs to. */
  readonly owner: object | undefined;
}

const MAX_PER_TURN = 8;

/**
 * Watches spans, responses and async resources, and records contradictions between them. It never
 * throws into the application: its code in patches and hooks is guarded.
 */
export class Observer implements SpanSink {
  readonly #options: ObserverOptions;
  readonly #handles: Handles;
  readonly #anchors: Anchors;
  readonly #sources: SpanSource[];
  readonly #names = new SpanNames();
  readonly #seen: Observations;
  readonly #routes = new RouteCounts();
  readonly #openSpans: OpenSpans;
  readonly #owners = new WeakMap<object, Owner>();
  readonly #roots = new WeakMap<object, Owner>();
  readonly #suspects: Suspects;
  #spans = 0;
  #hasServerSpans = false;
  #stopNames: (() => void) | undefined;
  #startedAt = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
    // Their stacks are only needed in a report.
    const origins = options.isLive ? undefined : new ContextOrigins();
    this.#sources = [new OtelSpans(origins), new DatadogSpans(origins)];
    this.#seen = new Observations({
      isLive: options.isLive === true,
      hasParents: (name) => this.#names.hasParents(name),
      origin: () => this.#origin(),
    });
    this.#handles = new Handles({
      owner: () => this.#activeOwner(),
      deep: options.deep,
      isLate: options.isLate === true,
      onServing: options.onServing,
    });
    this.#anchors = new Anchors({
      bindsMessages: !options.isLive,
      begun: (request) => {
        for (const source of this.#sources) source.look?.();
        this.#countRoute(request);
      },
      finished: (request) => this.#countRoute(request),
      touched: (request, method, below) => this.#guard(() => this.#touched(request, method, below)),
    });
    this.#suspects = new Suspects({
      captures: () => this.#seen.mayCapture(),
      origin: () => this.#origin(),
      hasParents: (name) => this.#names.hasParents(name),
      settled: (seen, { name, turn }) => void this.#seen.add(seen, name, turn.handle),
      judge: options.isLive ? (seen, suspect) => this.#judge(seen, suspect) : undefined,
    });
    this.#openSpans = new OpenSpans((seen) => {
      this.#lost(seen.kind, this.#seen.add(seen, seen.owner?.label ?? ''), []);
    });
  }

  start(): void {
    this.#startedAt = performance.now();
    if (!this.#options.isLive) this.#stopNames = askForNames();
    this.#anchors.start();
    this.#handles.start();
    for (const source of this.#sources) source.start(this);
  }

  stop(): void {
    for (const source of this.#sources) source.stop();
    this.#stopNames?.();
    this.#handles.stop();
    this.#seen.stop();
    this.#anchors.stop();
  }

  get anchors(): Anchors {
    return this.#anchors;
  }

  /** Returns the observations so far. */
  record(facts: readonly SetupFact[]): RunRecord {
    this.#suspects.settle(0);
    return {
      observations: this.#seen.entries(),
      facts,
      requests: this.#anchors.count,
      routes: this.#routes.entries(),
      spans: this.#spans,
      millis: performance.now() - this.#startedAt,
      dropped: this.#seen.dropped,
    };
  }

  started(event: SpanEvent): void {
    this.#guard(() => this.#started(event));
  }

  ended(key: object): void {
    this.#guard(() => {
      const root = this.#roots.get(key);
      if (root) {
        root.endedAt = performance.now();
        if (root.request?.owner === root) {
          root.request.settle(key);
          this.#countRoute(root.request);
        }
      }
      const owner = this.#owners.get(key);
      if (owner) this.#openSpans.ended(key, owner);
    });
  }

  #countRoute(request: Request): void {
    if (!this.#options.isLive) this.#guard(() => this.#routes.count(request));
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch {
      // Out of stack, or an object that cannot be inspected: the application keeps running.
    }
  }

  #active(): object | undefined {
    for (const source of this.#sources) {
      const key = source.active();
      if (key) return key;
    }
    return undefined;
  }

  /** Returns where the active context was activated. */
  #origin(): Origin | undefined {
    for (const source of this.#sources) {
      const origin = source.origin();
      if (origin) return origin;
    }
    return undefined;
  }

  #activeOwner(): Owner | undefined {
    const key = this.#active();
    return key && this.#owners.get(key);
  }

  #started(event: SpanEvent): void {
    this.#spans++;
    const { key, parent, name, isEntry, isRemote, isRoot } = event;
    const turn = turns.getStore();
    const known = parent && this.#owners.get(parent);
    const owner = known ?? new Owner(name, event.traceId, turn?.request);
    this.#owners.set(key, owner);
    if (turn && !isEntry) addSpan(turn, name, key);
    if (known) {
      this.#names.count(event, true);
      this.#makeActive(known);
      this.#openSpans.started(event, owner);
      this.#checkStale(event, known, turn);
      return;
    }
    this.#roots.set(key, owner);
    owner.root = new WeakRef(key);
    if (isEntry || isRemote) return this.#makeActive(owner);
    this.#names.count(event, false);
    // An unknown parent began before the detector did.
    if (parent || isRoot || !turn || turn.request) return;
    if (this.#anchors.inFlight > 0) this.#suspects.add(event, turn, this.#anchors.inFlight);
  }

  /** Records that the request of `owner` runs under its root span. */
  #makeActive(owner: Owner): void {
    if (!owner.request || owner.request.owner) return;
    owner.request.owner = owner;
    this.#hasServerSpans = true;
  }

  /** Counts a span without a parent as a loss if the report would. */
  #judge(seen: Observation, suspect: Suspect): void {
    const handOver = handOverIn(seen);
    if (suspect.captured === undefined || !isSeen(seen, handOver)) return;
    suspect.isJudged = true;
    this.#lost('lost', nameOf(seen, handOver), [suspect.key]);
  }

  #lost(
    kind: LossKind,
    name: FindingName | undefined,
    spans: readonly object[],
    {
      owner,
      count = Math.max(1, spans.length),
    }: { owner?: Owner | undefined; count?: number } = {},
  ): void {
    if (name === undefined) return;
    this.#options.onLoss?.({ kind, name, count, spans, owner: owner?.root?.deref() });
  }

  #touched(request: Request, method: string, below: Below): void {
    const turn = turns.getStore();
    const key = this.#active();
    const owner = key && this.#owners.get(key);
    const deeds = turn?.deedsOf(executionAsyncId());
    if (turn && deeds && deeds.spans.length > 0) this.#serve(request, turn, deeds, below);
    if (this.#isOwn(request, key, owner, turn)) return;
    // Without spans, the detector's own store represents the context.
    const seenWork = owner ?? (request.owner ? undefined : turn?.request);
    const kind = seenWork ? 'mixed' : 'lost';
    // Each kind once per request, and once more when its work is completed.
    const completes = !method.endsWith('.write()');
    const kindBit = kind === 'lost' ? 1 : 2;
    const bit = kindBit << (completes ? 2 : 0);
    // The completing call may consist of several.
    if ((request.reported & (bit | (bit << 2))) !== 0) return;
    request.reported |= bit;
    const suspects = kind === 'lost' ? takeSuspects(turn) : [];
    const mixed = kind === 'mixed' && deeds?.served.size === 1 ? deeds.spans : [];
    const seen: Seen = {
      kind,
      what: method,
      anchored: true,
      completes,
      owner: request.ref,
      seen: seenWork?.ref,
      spans: [...suspects.map(({ name }) => name), ...mixed],
    };
    const name = this.#seen.add(seen, method, turn?.handle, below);
    const fresh = suspects.filter(({ isJudged }) => !isJudged).map((suspect) => suspect.key);
    const keys = kind === 'lost' ? fresh : mixed.length > 0 ? (deeds?.keys ?? []) : [];
    // A loss counts once: not again when its response is completed, or if its span was already
    // counted.
    const isCounted = (request.counted & kindBit) !== 0;
    if (name !== undefined) request.counted |= kindBit;
    const further = isCounted ? 0 : Math.max(1, keys.length);
    const count = suspects.length > 0 ? fresh.length : further;
    this.#lost(kind, name, keys, { owner: request.owner, count });
  }

  /** Whether the active context belongs to the request, as far as is known. */
  #isOwn(
    request: Request,
    key: object | undefined,
    owner: Owner | undefined,
    turn: Turn | undefined,
  ): boolean {
    if (owner) return owner === request.owner || owner.request === request;
    // An earlier span, or a process whose requests have no spans: the detector's own store then
    // represents the context. If other requests have spans, a request without one is not traced.
    if (key) return true;
    if (request.owner) return false;
    return this.#hasServerSpans || turn?.request === request;
  }

  /** Several requests in one turn share one piece of work, if a span was started for it. */
  #serve(request: Request, turn: Turn, { spans, served }: Deeds, below: Below): void {
    if (served.has(request) || served.size >= MAX_PER_TURN) return;
    served.add(request);
    if (served.size !== 2) return;
    const what = spans[0] as string;
    const seen: Seen = { kind: 'batched', what, owner: request.ref, callers: 2, spans: [] };
    this.#lost('batched', this.#seen.add(seen, what, turn.handle, below), []);
  }

  #checkStale(event: SpanEvent, owner: Owner, turn: Turn | undefined): void {
    if (owner.endedAt === undefined || !turn?.handle) return;
    const handle = this.#outlived(turn.handle, owner, performance.now() - owner.endedAt);
    if (!handle) return;
    const { name } = event;
    const seen: Seen = { kind: 'stale', what: name, owner: owner.ref, spans: [name] };
    this.#lost('stale', this.#seen.add(seen, name, handle), [event.key]);
  }

  /**
   * An async resource that was created in work that has ended, and keeps calling back in its
   * context.
   */
  #outlived(handle: Handle, owner: Owner, millis: number): Handle | undefined {
    for (let next: Handle | undefined = handle; next; next = next.bornDuring?.handle) {
      if (!isBornIn(next, owner)) continue;
      const isTimer = next.type === 'Timeout';
      // Work that a request left behind may take its time; its message serves no other request.
      const isOver = isTimer
        ? repeats(next)
        : isLongLived(next) && millis >= this.#options.staleMillis;
      if (isOver) return next;
    }
    return undefined;
  }
}

function addSpan(turn: Turn, name: string, key: object): void {
  const { spans, keys } = turn.deedsOf(executionAsyncId());
  if (spans.length >= MAX_PER_TURN) return;
  spans.push(name);
  keys.push(key);
}
