import { roleOfType } from '../carry/async-resource-types.ts';
import { isNodeType } from './resource-description.ts';
import { lastSeen, runTime, type AsyncRecord, type AsyncTrace } from './record.ts';

/*
 * Reduces a finished group to the few waits in it that matter to a user.
 *
 * Work that never leaves JavaScript (promises, ticks, immediates) is folded into its trigger. Each
 * remaining resource is a node: a socket, a lookup, a file, a timer, an operation of a library. A
 * node's parent is the node its trigger was folded into. If it was created in the callback of
 * another node, it is linked to that.
 */

/** An async resource that waits outside JavaScript, with the resources folded into it. */
export interface ShapedNode {
  readonly record: AsyncRecord;
  /** Low in cardinality: `dns lookup`, `fs`, `timer`. */
  readonly name: string;
  /** The node it was triggered by; undefined if that is the request itself. */
  readonly parent: ShapedNode | undefined;
  /** The node in whose callback it was created, if that is not the parent. */
  readonly createdBy: ShapedNode | undefined;
  startedAt: number;
  endedAt: number;
  /** The number of async resources folded into this node. */
  folded: number;
  /** Milliseconds in callbacks of the node and of the resources folded into it. */
  runMillis: number;
  /** Those callbacks, `before` and `after` in turn; one record after the other. */
  readonly slices: number[];
}

export interface ShapedTrace {
  readonly nodes: ShapedNode[];
  /** Async resources folded into the request itself. */
  readonly folded: number;
  /** Nodes beyond the limit, which were folded as well. */
  readonly nodesFolded: number;
}

/** Types that only schedule work inside JavaScript, or that represent the request itself. */
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

/** Returns the name of a type's span: the type itself if it is not one of Node's. */
export function nameOfType(type: string): string {
  return knownName(type) ?? (isNodeType(type) ? type.toLowerCase() : type);
}

/** Returns the common name of what a type waits for; undefined for types without one. */
export function knownName(type: string): string | undefined {
  return NAMES.find(([pattern]) => pattern.test(type))?.[1];
}

/**
 * The nodes of a group, in the order of their creation. `maxNodes` limits those that no other span
 * represents: the longest are kept.
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
  // Resources that a span already represents do not count.
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

/** `over` is the time when the request was over. */
function isNode(record: AsyncRecord, over: number): boolean {
  if (FOLDED.test(record.type)) return false;
  const role = record.role ?? roleOfType(record.type);
  if (role === 'binding' || role === 'internal') return false;
  // A connection that was free means no wait.
  if (role === 'wait') return lengthOf(record) >= SHORTEST_POOL_WAIT_MILLIS;
  return !isUnawaited(record, over);
}

/**
 * A timer that never fires, such as those of idle sockets and servers, is not a wait, nor is one
 * that fires after the request is over, such as Node's own for the date in headers.
 */
function isUnawaited({ type, slices }: AsyncRecord, over: number): boolean {
  return type === 'Timeout' && (slices[0] ?? Infinity) >= over;
}

/**
 * A promise's `destroy` means that it was garbage collected; a handle's may come long after its
 * last use.
 */
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
