import { ClewError, messageOf } from '../../base/errors.ts';
import { parseRecording, readBounded } from '../../tracer/recording/read.ts';
import { readJaeger } from '../../viewer/jaeger/read.ts';
import type { FileAdded } from '../../viewer/model.ts';
import { readOtlp } from '../../viewer/otlp.ts';
import type { Span } from '../../viewer/span.ts';
import type { Viewer } from '../../viewer/viewer.ts';
import { findingsOf, isReport } from './findings.ts';
import { viewRecording } from './recording.ts';

/*
 * Files that the viewer reads, told apart by what is in them: `.clew` recordings, OTLP/JSON (one
 * request, or one in each line), Jaeger's JSON, and reports of the doctor.
 */

/** Adds a file to what the viewer holds. `ERR_OPTION` says why it cannot be read. */
export function addFile(viewer: Viewer, file: string): FileAdded {
  try {
    return addBytes(viewer, readBounded(file));
  } catch (error) {
    throw new ClewError('ERR_OPTION', `Cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether a file that was read holds what the doctor found, and so no traces. */
export function isReportFile(file: string): boolean {
  return isReport(
    parse(
      readBounded(file)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    ),
  );
}

/** The same for the bytes of a file. */
export function addBytes(viewer: Viewer, bytes: Buffer): FileAdded {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return addRecording(viewer, bytes);
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const json = parse(text);
  if (json !== undefined) return addJson(viewer, json);
  const spans: Span[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    if (line.trim() === '') continue;
    const request = parse(line);
    // A line that was cut is the last one.
    if (request === undefined && number > 1 && !text.endsWith('\n')) break;
    if (!isOtlp(request)) throw new ClewError('ERR_OPTION', notKnown(`line ${number} of it`));
    for (const span of readOtlp(request)) spans.push(span);
  }
  if (spans.length === 0) throw new ClewError('ERR_OPTION', notKnown('it'));
  return added('otlp', viewer, spans);
}

function addRecording(viewer: Viewer, bytes: Buffer): FileAdded {
  const { spans, recorded } = viewRecording(parseRecording(bytes));
  const result = added('clew', viewer, spans);
  for (const [traceId, one] of recorded) {
    const trace = viewer.store.get(traceId);
    if (trace) trace.recorded = one;
  }
  return result;
}

function addJson(viewer: Viewer, json: unknown): FileAdded {
  if (isReport(json)) {
    const findings = findingsOf(json);
    viewer.addFindings(findings);
    return { format: 'findings', traces: 0, spans: 0, findings: findings.length };
  }
  if (isOtlp(json)) return added('otlp', viewer, readOtlp(json));
  if (typeof json === 'object' && json !== null && 'data' in json) {
    return added('jaeger', viewer, readJaeger(json));
  }
  throw new ClewError('ERR_OPTION', notKnown('it'));
}

function added(format: string, viewer: Viewer, spans: readonly Span[]): FileAdded {
  const traces = viewer.add(spans).size;
  return { format, traces, spans: spans.length, findings: 0 };
}

function isOtlp(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'resourceSpans' in json;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function notKnown(what: string): string {
  return (
    `${what} is neither a .clew recording, nor OTLP/JSON ({"resourceSpans": ...}), nor Jaeger's ` +
    'JSON ({"data": ...}), nor a report of `clew doctor --json`'
  );
}
