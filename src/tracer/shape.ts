import { roleOfType } from '../carry/async-resource-types.ts';
import { isNodeType } from './describe.ts';
import { lastSeen, runTime, type AsyncRecord, type AsyncTrace } from './record.ts';

/*
 * From a finished group to the few things in it that a person waits for.
 *
 * Work that never leaves JavaScript (promises, ticks, immediates) is folded into what triggered it.
 * What is left is a node: a socket, a lookup, a file, a timer, an operation of a library. A node's
 * parent is the node its trigger was folded into, and it is linked to the node in whose callback it
 * was created where that is another one.
 */

/** An async resource that left JavaScript, with what was folded into it. */
export interface ShapedNode {
  readonly record: AsyncRecord;
  /** Low in cardinality: `dns lookup`, `fs`, `timer`. */
  readonly name: string;
  /** The node it was triggered by; undefined where that is the request itself. */
  readonly parent: ShapedNode | undefined;
  /** The node in whose callback it was created, where that is not the parent. */
  readonly createdBy: ShapedNode | undefined;
  startedAt: number;
  endedAt: number;
  /** Async resources that live on in this node. */
  folded: number;
  /** Milliseconds in callbacks of the node and of what was folded into it. */
  runMillis: number;
  /** Those callbacks, `before` and `after` in turn; one record after the other. */
  readonly slices: number[];
}

export interface ShapedTrace {
  readonly nodes: ShapedNode[];
  /** Async resources folded into the request itself. */
  readonly folded: number;
  /** Nodes beyond the bound, folded too. */
  readonly nodesFolded: number;
}

/** Types that only pass the word on inside JavaScript, or that stand for the request itself. */
const FOLDED =
  /^(PROMISE|TickObject|Immediate|Microtask|HTTPINCOMINGMESSAGE|WRITEWRAP|SHUTDOWNWRAP|FILEHANDLE|DNSCHANNEL|AsyncResource|bound-anonymous-fn)$/;

const NAMES: [RegExp, string][] = [
  [/^GETADDRINFO/, 'dns lookup'],
  [/^GETNAMEINFO/, 'dns reverse lookup'],
  [/^QUERYWRAP$/, 'dns query'],
  [/^TCPCONNECTWRAP$/, 'tcp connect'],
  [/^PIPECONNECTWRAP$/, 'pipe connect'],
  [/^TCPSERVERWRAP$/, 'tcp server'],
  [/^TCPWRAP$/, 'socket'],
  [/^PIPE/, 'pipe'],
  [/^TLS/, 'tls'],
  [/^UDP/, 'udp'],
  [/^FILEHANDLECLOSEREQ$/, 'fs close'],
  [/^(FS|STATWATCHER|DIRHANDLE|BLOB)/, 'fs'],
  [/^(ZLIB|BROTLI|ZSTD)/, 'zlib'],
  [/^HTTP2/, 'http2'],
  [/^HTTPCLIENTREQUEST$/, 'http request'],
  [/^(WORKER|MESSAGEPORT)/, 'worker'],
  [/^PROCESSWRAP$/, 'child process'],
  [/^SIGNALWRAP$/, 'signal'],
  [/^Timeout$/, 'timer'],
  [/^POOL_WAIT$/, 'pool wait'],
  [/REQUEST$/, 'crypto'],
];

const MAX_NODES = 100;
const SHORTEST_POOL_WAIT_MILLIS = 0.5;

/** The name of the span of a type: the operation's own type where it is not Node's. */
export function nameOfType(type: string): string {
  return knownName(type) ?? (isNodeType(type) ? type.toLowerCase() : type);
}

/** What people call that which a type waits for; undefined for types without such a name. */
export function knownName(type: string): string | undefined {
  return NAMES.find(([pattern]) => pattern.test(type))?.[1];
}

/**
 * The nodes of a group, in the order of their creation. `maxNodes` bounds those that no other span
 * shows: the longest stay.
 */
export function shape(trace: AsyncTrace, maxNodes: number = MAX_NODES): ShapedTrace {
  const { kept, total } = pickNodes(trace, maxNodes);
  const nodes: ShapedNode[] = [];
  /** The node each async resource is, or was folded into; undefined is the request itself. */
  const places = new Map<number, ShapedNode | undefined>();
  let folded = 0;
  for (const record of trace.records) {
    const parent = places.get(record.triggerAsyncId);
    if (kept.has(record)) {
      const creator = places.get(record.executionAsyncId);
      const node: ShapedNode = {
        record,
        name: nameOfType(record.type),
        parent,
        createdBy: creator === parent ? undefined : creator,
        startedAt: record.initAt,
        endedAt: endOf(record),
        folded: 0,
        runMillis: runTime(record.slices),
        slices: ended(record.slices),
      };
      nodes.push(node);
      places.set(record.asyncId, node);
      continue;
    }
    places.set(record.asyncId, parent);
    if (!parent) {
      folded++;
      continue;
    }
    parent.folded++;
    parent.runMillis += runTime(record.slices);
    for (const at of ended(record.slices)) parent.slices.push(at);
    if (isUnawaited(record, overAt(trace))) continue;
    parent.endedAt = Math.max(parent.endedAt, record.slices.at(-1) ?? 0);
  }
  return { nodes, folded: folded + trace.dropped, nodesFolded: total - nodes.length };
}

function pickNodes(trace: AsyncTrace, maxNodes: number): { kept: Set<AsyncRecord>; total: number } {
  // What a span shows already takes no room.
  const shown = trace.records.filter(({ shownBy }) => shownBy !== undefined);
  const candidates = trace.records.filter(
    (record) => record.shownBy === undefined && isNode(record, overAt(trace)),
  );
  const total = shown.length + candidates.length;
  if (candidates.length <= maxNodes) return { kept: new Set([...shown, ...candidates]), total };
  const longest = candidates.sort((a, b) => lengthOf(b) - lengthOf(a)).slice(0, maxNodes);
  return { kept: new Set([...shown, ...longest]), total };
}

function overAt({ owner }: AsyncTrace): number {
  return owner?.endedAt ?? Infinity;
}

/** `over` is when the request was. */
function isNode(record: AsyncRecord, over: number): boolean {
  if (FOLDED.test(record.type)) return false;
  const role = record.role ?? roleOfType(record.type);
  if (role === 'binding' || role === 'internal') return false;
  // A connection that was free is no wait.
  if (role === 'wait') return lengthOf(record) >= SHORTEST_POOL_WAIT_MILLIS;
  return !isUnawaited(record, over);
}

/**
 * Nobody waits for a timer that never fires, as those of idle sockets and servers, nor for one that
 * fires when the request is over, as Node's own for the date that it writes into headers.
 */
function isUnawaited({ type, slices }: AsyncRecord, over: number): boolean {
  return type === 'Timeout' && (slices[0] ?? Infinity) >= over;
}

/** A promise's `destroy` tells of the collector, a handle's may come long after its last use. */
function endOf(record: AsyncRecord): number {
  return record.slices.length > 0 ? (record.slices.at(-1) ?? record.initAt) : lastSeen(record);
}

function lengthOf(record: AsyncRecord): number {
  return endOf(record) - record.initAt;
}

/** Without the callback that is running. */
function ended(slices: readonly number[]): number[] {
  return slices.slice(0, slices.length - (slices.length % 2));
}
