import { loadCrypto } from '../../base/node-crypto.ts';
import type { AsyncTrace } from '../record.ts';
import { shape, type ShapedNode } from '../shape.ts';
import type { Recording } from './format.ts';

/** A span of a recording, for the formats that know spans. Times are milliseconds since 1970. */
export interface RecordedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startedAt: number;
  endedAt: number;
  attributes: Record<string, string | number | boolean>;
  links: { traceId: string; spanId: string; kind: string }[];
}

const PREFIX = 'clew.async_resource.';
/** Set on the root span of work that belongs to no request. */
const ATTR_OUTSIDE = 'clew.outside';
const SHORTEST_MILLIS = 0.002;

/** Converts every group of a recording into a trace: a span for the root and one for each node. */
export function toSpans(recording: Recording): RecordedSpan[] {
  const { pid, startedAt } = recording.header;
  return recording.traces.flatMap((trace, index) =>
    spansOf(trace, `${pid}:${startedAt}:${index}`, recording.header.timeOrigin),
  );
}

function spansOf(trace: AsyncTrace, seed: string, timeOrigin: number): RecordedSpan[] {
  const traceId = digest(seed, 32);
  const { nodes, folded, nodesFolded } = shape(trace, 1000);
  const ids = new Map<ShapedNode, string>();
  const startedAt = trace.startedAt + timeOrigin;
  const end = Math.max(endOf(trace), trace.startedAt + SHORTEST_MILLIS) + timeOrigin;
  const root: RecordedSpan = {
    traceId,
    spanId: digest(`${seed}:root`, 16),
    name: labelOf(trace),
    startedAt,
    endedAt: end,
    attributes: {
      [`${PREFIX}id`]: trace.root.asyncId,
      [`${PREFIX}type`]: trace.root.type,
      [`${PREFIX}count`]: trace.records.length + trace.dropped,
      [`${PREFIX}folded`]: folded + nodesFolded,
      [`${PREFIX}dropped`]: trace.dropped,
      ...(trace.owner ? {} : { [ATTR_OUTSIDE]: true }),
    },
    links: [],
  };
  if (trace.owner?.traceId && trace.owner.spanId) {
    root.links.push({ traceId: trace.owner.traceId, spanId: trace.owner.spanId, kind: 'request' });
  }
  const spans = nodes.map((node) => {
    const spanId = digest(`${seed}:${node.record.asyncId}`, 16);
    ids.set(node, spanId);
    return toSpan(node, { traceId, spanId, timeOrigin, root, ids });
  });
  return [root, ...spans];
}

interface Place {
  traceId: string;
  spanId: string;
  timeOrigin: number;
  root: RecordedSpan;
  ids: Map<ShapedNode, string>;
}

function toSpan(node: ShapedNode, { traceId, spanId, timeOrigin, root, ids }: Place): RecordedSpan {
  const { record } = node;
  const creator = node.createdBy && ids.get(node.createdBy);
  const attributes: RecordedSpan['attributes'] = {
    [`${PREFIX}id`]: record.asyncId,
    [`${PREFIX}type`]: record.type,
    [`${PREFIX}trigger_id`]: record.triggerAsyncId,
    [`${PREFIX}execution_id`]: record.executionAsyncId,
    [`${PREFIX}folded`]: node.folded,
    [`${PREFIX}run_ms`]: Math.round(node.runMillis * 1e3) / 1e3,
  };
  if (record.description !== undefined) attributes[`${PREFIX}description`] = record.description;
  if (record.stack?.[0]) attributes[`${PREFIX}created_at`] = record.stack.join('\n');
  return {
    traceId,
    spanId,
    parentSpanId: (node.parent && ids.get(node.parent)) ?? root.spanId,
    name: node.name,
    startedAt: node.startedAt + timeOrigin,
    endedAt: Math.max(node.endedAt, node.startedAt + SHORTEST_MILLIS) + timeOrigin,
    attributes,
    links: creator ? [{ traceId, spanId: creator, kind: 'created_by' }] : [],
  };
}

/** Returns the name of a group: its request, otherwise its root. */
export function labelOf({ owner, root }: AsyncTrace): string {
  if (owner) return owner.label;
  // Work that began before the recording has a root that was not observed.
  if (root.type === 'unknown') return 'work of no request';
  return root.description === undefined ? root.type : `${root.type} ${root.description}`;
}

/** When a request was over, even if a timer of its connection, for example, ran later. */
export function endOf({ owner, endedAt }: AsyncTrace): number {
  return owner?.endedAt ?? endedAt;
}

function digest(text: string, length: number): string {
  return loadCrypto().createHash('sha256').update(text).digest('hex').slice(0, length);
}
