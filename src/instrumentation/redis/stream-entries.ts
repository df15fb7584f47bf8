import { context } from '@opentelemetry/api';

import { carrierOf, type Carrier } from '../messaging/carrier.ts';
import { parentageOf } from '../messaging/parentage.ts';
import type { ReceivedMessages } from '../operation.ts';
import type { Recorder } from '../recorder/recorder.ts';
import type { OperationRecording } from '../recorder/operation-recording.ts';

/*
 * Entries of streams, and the trace context that may be among their fields. Redis has no headers: a
 * producer adds fields where the configuration asks for it (`streamContext`), or of its own accord.
 */

/** How many entries of a reply are looked at. */
const MAX_ENTRIES = 1000;
/** How deep a reply is: streams by names, entries, one entry. */
const MAX_DEPTH = 3;

/** The fields for the entry of an `XADD` that is recorded; undefined where it is to have none. */
export function contextFields(
  recorder: Recorder,
  recording: OperationRecording | undefined,
  name: string,
  args: readonly unknown[],
): string[] | undefined {
  if (!recorder.config.streamContext || !/^xadd$/i.test(name)) return undefined;
  const fields = Object.entries(carrierOf(recording?.context ?? context.active()));
  // What the application passes on by itself stays the only one of its name.
  const isOwn = fields.some(([field]) => args.includes(field));
  return isOwn || fields.length === 0 ? undefined : fields.flat();
}

/** The entries in a reply to a command that receives, with links to their producers. */
export function receivedIn(reply: unknown): ReceivedMessages {
  const ids: string[] = [];
  const carriers: Carrier[] = [];
  const take = (id: string, fields: unknown): void => {
    ids.push(id);
    if (carriers.length < MAX_ENTRIES) carriers.push(carrierIn(fields));
  };
  visit(reply, MAX_DEPTH, take);
  const { links } = parentageOf({ carriers }, 'link', context.active());
  return { count: ids.length, id: ids.length === 1 ? ids[0] : undefined, links };
}

/**
 * Clients and versions of the protocol differ in what holds the entries: lists of pairs, maps, objects.
 * An entry itself is a pair of an id and its fields, the same everywhere.
 */
function visit(part: unknown, depth: number, take: (id: string, fields: unknown) => void): void {
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return;
  if (Array.isArray(part) && part.length === 2) {
    const id = idOf(part[0]);
    if (id !== undefined && typeof part[1] === 'object' && part[1] !== null) {
      take(id, part[1]);
      return;
    }
  }
  if (depth === 0) return;
  const parts = part instanceof Map ? part.values() : Object.values(part);
  for (const each of parts) visit(each, depth - 1, take);
}

function idOf(value: unknown): string | undefined {
  const text = typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : '';
  return /^\d{1,20}-\d{1,20}$/.test(text) ? text : undefined;
}

/** Names and values in turn, or by names. A name that comes twice has its first value. */
function carrierIn(fields: unknown): Carrier {
  const carrier: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const pairs =
    fields instanceof Map
      ? [...fields]
      : Array.isArray(fields)
        ? Array.from({ length: fields.length >> 1 }, (_, at) => [
            fields[2 * at],
            fields[2 * at + 1],
          ])
        : Object.entries(fields as object);
  for (const [field, value] of pairs as [unknown, unknown][]) {
    const name = typeof field === 'string' || Buffer.isBuffer(field) ? field.toString() : '';
    if (!(name in carrier)) carrier[name] = value;
  }
  return carrier;
}
