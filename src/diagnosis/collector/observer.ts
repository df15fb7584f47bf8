import { executionAsyncId } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';

import { CauseBook } from '../cause-book.ts';
import { handOverIn } from '../frames.ts';
import type { LossKind, Observation, RunRecord, SetupFact } from '../record.ts';
import { Anchors } from './anchors.ts';
import { Births } from './births.ts';
import { Budget } from './budget.ts';
import { DatadogSpans } from './datadog-spans.ts';
import { handleRecord, Handles, isBornIn, repeats } from './handles.ts';
import { OpenSpans } from './open-spans.ts';
import type { SpanEvent, SpanSink, SpanSource } from './span-event.ts';
import { SpanNames } from './span-names.ts';
import { OtelSpans } from './span-source.ts';
import { captureStack, readFrames } from './stack.ts';
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
  /** Milliseconds after its end from which work on a connection of a request is stale. */
  staleMillis: number;
  deep: boolean;
  /** Called for each loss when it is seen, with the span that has it, if one does. */
  onServing?: (() => void) | undefined;
  onLoss?: ((kind: LossKind, key: object | undefined) => void) | undefined;
}

type Below = (...args: never[]) => unknown;
type Seen = Partial<Observation> & Pick<Observation, 'kind' | 'what'>;

const MAX_SUSPECTS = 500;
const MAX_PER_TURN = 8;
const MAX_KEYS = 1000;
const STACKS_PER_SECOND = 100;

/**
 * Watches spans, responses and async resources, and writes down what does not fit together. It
 * never throws into the application: what it does in a patch or a hook is guarded.
 */
export class Observer implements SpanSink {
  readonly #options: ObserverOptions;
  readonly #book = new CauseBook();
  readonly #names = new SpanNames();
  readonly #handles: Handles;
  readonly #anchors: Anchors;
  readonly #sources: SpanSource[] = [new OtelSpans(), new DatadogSpans()];
  readonly #births = new Births();
  readonly #openSpans: OpenSpans;
  readonly #owners = new WeakMap<object, Owner>();
  readonly #roots = new WeakMap<object, Owner>();
  readonly #budget = new Budget(STACKS_PER_SECOND);
  /** Spans without a parent that no anchor has spoken for. */
  #suspects: Suspect[] = [];
  /** What to count where a stack would cost too much: by what is known without one. */
  readonly #known = new Map<string, string>();
  #spans = 0;
  #hasServerSpans = false;
  #startedAt = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#handles = new Handles({
      owner: () => this.#activeOwner(),
      deep: options.deep,
      onServing: options.onServing,
    });
    this.#anchors = new Anchors({
      begun: () => {
        for (const source of this.#sources) source.look?.();
      },
      touched: (request, method, below) => this.#guard(() => this.#touched(request, method, below)),
    });
    this.#openSpans = new OpenSpans((seen) => this.#observe(seen, seen.owner?.label ?? ''));
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#anchors.start();
    this.#handles.start();
    for (const source of this.#sources) source.start(this);
  }

  stop(): void {
    for (const source of this.#sources) source.stop();
    this.#handles.stop();
    this.#births.stop();
    this.#anchors.stop();
  }

  get anchors(): Anchors {
    return this.#anchors;
  }

  /** What was seen so far. */
  record(facts: readonly SetupFact[]): RunRecord {
    this.#settle(0);
    return {
      observations: this.#book.entries(),
      facts,
      requests: this.#anchors.count,
      spans: this.#spans,
      millis: performance.now() - this.#startedAt,
      dropped: this.#book.dropped,
    };
  }

  started(event: SpanEvent): void {
    this.#guard(() => this.#started(event));
  }

  ended(key: object): void {
    this.#guard(() => {
      const root = this.#roots.get(key);
      if (root) root.endedAt = performance.now();
      const owner = this.#owners.get(key);
      if (owner) this.#openSpans.ended(key, owner);
    });
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch {
      // Out of stack, or an object that refuses to be looked at: the application runs on.
    }
  }

  #active(): object | undefined {
    for (const source of this.#sources) {
      const key = source.active();
      if (key) return key;
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
    if (turn && !isEntry) addSpan(turn, name);
    if (known) {
      this.#names.count(event, true);
      this.#makeActive(known);
      this.#openSpans.started(event, owner);
      this.#checkStale(event, known, turn);
      return;
    }
    this.#roots.set(key, owner);
    if (isEntry || isRemote) return this.#makeActive(owner);
    this.#names.count(event, false);
    // A parent that is not known began before us.
    if (parent || isRoot || !turn || turn.request) return;
    this.#suspect(event, turn);
  }

  /** The root span of `owner` is one that its request runs under. */
  #makeActive(owner: Owner): void {
    if (!owner.request || owner.request.owner) return;
    owner.request.owner = owner;
    this.#hasServerSpans = true;
  }

  #suspect(event: SpanEvent, turn: Turn): void {
    const { inFlight } = this.#anchors;
    if (inFlight === 0) return;
    const captured = this.#budget.take() ? captureStack() : undefined;
    const suspect = { name: event.name, key: event.key, captured, turn, inFlight, resolved: false };
    if ((turn.suspects ??= []).length < MAX_PER_TURN) turn.suspects.push(suspect);
    this.#suspects.push(suspect);
    this.#settle(MAX_SUSPECTS);
  }

  /** Gives the oldest suspects up to the book as spans that no anchor has spoken for. */
  #settle(keep: number): void {
    while (this.#suspects.length > keep) {
      const suspect = this.#suspects.shift() as Suspect;
      if (suspect.resolved) continue;
      suspect.resolved = true;
      const { name, captured, turn, inFlight } = suspect;
      this.#observe(
        { kind: 'lost', what: name, spans: [name], inFlight, stack: readFrames(captured) },
        name,
        turn.handle,
      );
    }
  }

  #touched(request: Request, method: string, below: Below): void {
    const turn = turns.getStore();
    const key = this.#active();
    const owner = key && this.#owners.get(key);
    const deeds = turn?.deedsOf(executionAsyncId());
    if (turn && deeds && deeds.spans.length > 0) this.#serve(request, turn, deeds, below);
    if (this.#isOwn(request, key, owner, turn)) return;
    // Without spans our own store stands for the context.
    const seenWork = owner ?? (request.owner ? undefined : turn?.request);
    const kind = seenWork ? 'mixed' : 'lost';
    // Each kind once for a request: a response is touched more than once.
    const bit = kind === 'lost' ? 1 : 2;
    if ((request.reported & bit) !== 0) return;
    request.reported |= bit;
    const suspects = kind === 'lost' ? takeSuspects(turn) : [];
    const mixed = kind === 'mixed' && deeds?.served.size === 1 ? deeds.spans : [];
    const seen: Seen = {
      kind,
      what: method,
      anchored: true,
      completes: method !== 'write',
      owner: request.ref,
      seen: seenWork?.ref,
      spans: [...suspects.map(({ name }) => name), ...mixed],
    };
    for (const { key: span } of suspects) this.#options.onLoss?.(kind, span);
    if (suspects.length === 0) this.#options.onLoss?.(kind, undefined);
    this.#observe(seen, method, turn?.handle, below);
  }

  /** Whether what is active belongs to the request, as far as can be known. */
  #isOwn(
    request: Request,
    key: object | undefined,
    owner: Owner | undefined,
    turn: Turn | undefined,
  ): boolean {
    if (owner) return owner === request.owner || owner.request === request;
    // A span from before, or a process whose requests have none: then our own store stands for the
    // context. Where others have one, a request without it is not traced.
    if (key) return true;
    if (request.owner) return false;
    return this.#hasServerSpans || turn?.request === request;
  }

  /** Several requests in one turn share a piece of work, if a span was made for it. */
  #serve(request: Request, turn: Turn, { spans, served }: Deeds, below: Below): void {
    if (served.has(request) || served.size >= MAX_PER_TURN) return;
    served.add(request);
    if (served.size !== 2) return;
    const what = spans[0] as string;
    const seen: Seen = { kind: 'batched', what, owner: request.ref, callers: 2, spans: [] };
    this.#observe(seen, what, turn.handle, below);
  }

  #checkStale(event: SpanEvent, owner: Owner, turn: Turn | undefined): void {
    if (owner.endedAt === undefined || !turn?.handle) return;
    const handle = this.#outlived(turn.handle, owner, performance.now() - owner.endedAt);
    if (!handle) return;
    this.#options.onLoss?.('stale', event.key);
    const { name } = event;
    const seen: Seen = { kind: 'stale', what: name, owner: owner.ref, spans: [name] };
    this.#observe(seen, name, handle);
  }

  /** What was created in the work that ended, and keeps calling back in its context. */
  #outlived(handle: Handle, owner: Owner, millis: number): Handle | undefined {
    for (let next: Handle | undefined = handle; next; next = next.bornDuring?.handle) {
      if (!isBornIn(next, owner)) continue;
      const isTimer = next.type === 'Timeout';
      const isOver = isTimer ? repeats(next) : millis >= this.#options.staleMillis;
      if (isOver) return next;
    }
    return undefined;
  }

  #observe(seen: Seen, name: string, handle?: Handle, below?: Below): void {
    const rough = `${seen.kind} ${name} ${handle?.asyncId ?? ''}`;
    const { owner, spans = [] } = seen;
    const isRead = seen.stack !== undefined;
    if (!isRead && !this.#budget.take()) {
      const cause = this.#known.get(rough);
      if (cause !== undefined) this.#book.again(cause, { owner, spans });
      return;
    }
    const stack = seen.stack ?? readFrames(captureStack(below));
    const record = handleRecord(handle);
    const observation: Observation = {
      anchored: false,
      completes: true,
      inFlight: 0,
      parentedElsewhere: this.#names.hasParents(seen.what),
      ...seen,
      stack,
      spans,
      handle: record,
      birth: below && this.#births.here(),
    };
    if (seen.anchored && !handOverIn(observation)) this.#births.look();
    const cause = this.#book.add(observation);
    if (cause === undefined) return;
    if (this.#known.size >= MAX_KEYS) this.#known.clear();
    this.#known.set(rough, cause);
  }
}

function addSpan(turn: Turn, name: string): void {
  const { spans } = turn.deedsOf(executionAsyncId());
  if (spans.length < MAX_PER_TURN) spans.push(name);
}

/** The suspects of a turn and of those it descends from; each is spoken for once. */
function takeSuspects(turn: Turn | undefined): Suspect[] {
  const taken: Suspect[] = [];
  for (let next = turn; next; next = next.handle?.bornDuring) {
    for (const suspect of next.suspects ?? []) {
      if (!suspect.resolved) taken.push(suspect);
      suspect.resolved = true;
    }
  }
  return taken;
}
