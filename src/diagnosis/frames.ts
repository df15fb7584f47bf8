import { OWN_FOLDERS } from '../base/own-files.ts';
import type { Frame, Observation } from './record.ts';

/** Whose code a frame is. A `tool` is a tracer: it stands between two others and explains neither. */
export type Party = 'application' | 'package' | 'node' | 'tool';

const TOOLS =
  /^(?:@opentelemetry\/|@sentry\/|@sentry-internal\/|dd-trace$|dc-polyfill$|require-in-the-middle$|import-in-the-middle$|clew$)/;
const EMITTER = /^node:(?:events|internal\/event_target)$/;
/** How packages call the function in which they emit. */
const EMITS = /(?:^|\.)(?:emit|fire|publish|trigger|dispatchEvent)(?:Async|Sync)?$/;
const SERVER = /^node:(?:_http_server|internal\/http2\/(?:core|compat))$/;

export function partyOf(file: string): Party {
  if (file === '' || !/^(?:[a-z]:)?[\\/]|^file:/i.test(file)) return 'node';
  if (OWN_FOLDERS.some((folder) => file.startsWith(folder))) return 'tool';
  const name = packageOf(file);
  if (name === undefined) return 'application';
  return TOOLS.test(name) ? 'tool' : 'package';
}

/** The package that `file` is in, or undefined. */
export function packageOf(file: string): string | undefined {
  const path = file.replaceAll('\\', '/');
  const at = path.lastIndexOf('/node_modules/');
  if (at === -1) return undefined;
  const parts = path.slice(at + '/node_modules/'.length).split('/');
  return parts.slice(0, parts[0]?.startsWith('@') ? 2 : 1).join('/');
}

/** The frames that were really on the stack, without those that only await it. */
export function synchronous(stack: readonly Frame[]): Frame[] {
  const end = stack.findIndex((frame) => frame.isAsync);
  return end === -1 ? [...stack] : stack.slice(0, end);
}

/** The application's innermost line: a call of its own, else the function that awaits. */
export function yourFrame(stack: readonly Frame[]): Frame | undefined {
  return stack.find((frame) => partyOf(frame.file) === 'application');
}

/** Who kept the callback and called it later. */
export interface HandOver {
  readonly by: 'package' | 'application' | 'node';
  readonly frame: Frame;
  readonly package?: string | undefined;
  /** It was called as the listener of an emitter. */
  readonly viaEmitter: boolean;
  /** No frame of it was on the stack; it created the async resource whose callback ran. */
  readonly fromBirth: boolean;
}

/** Who handed over in an observation, from its stack and from where its async resources began. */
export function handOverIn(
  seen: Pick<Observation, 'stack' | 'birth' | 'handle'>,
): HandOver | undefined {
  return handOverOf(seen.stack, [...(seen.birth ?? []), ...(seen.handle?.stack ?? [])]);
}

/**
 * Finds who handed over: the first package outside of the application's frames, or the code of the
 * application that emitted the event or kept the callback.
 */
export function handOverOf(
  stack: readonly Frame[],
  birth: readonly Frame[] = [],
): HandOver | undefined {
  const frames = synchronous(stack);
  const your = frames.findIndex((frame) => partyOf(frame.file) === 'application');
  const outer = frames.slice(your + 1);
  const emitter = outer.findIndex((frame) => EMITTER.test(frame.file));
  const packaged = outer.findIndex((frame) => partyOf(frame.file) === 'package');
  const viaEmitter = emitter !== -1 && (packaged === -1 || emitter < packaged);
  if (packaged !== -1 && !isDispatch(outer, packaged)) {
    // An event that the application emits between the two is the application's doing.
    const between = viaEmitter ? firstApplication(outer.slice(emitter, packaged)) : undefined;
    if (between) return found('application', between, true);
    const frame = outer[packaged] as Frame;
    return found('package', frame, viaEmitter || EMITS.test(frame.fn ?? ''));
  }
  const isServed = outer.some((frame) => SERVER.test(frame.file));
  if (viaEmitter && !(isServed && !firstApplication(outer.slice(emitter)))) {
    const emits = firstApplication(outer.slice(emitter)) ?? outer[emitter + 1] ?? outer[emitter];
    const by = partyOf(emits?.file ?? '') === 'application' ? 'application' : 'node';
    return found(by, emits as Frame, true);
  }
  const keeper = your === -1 ? undefined : otherFile(outer, frames[your] as Frame);
  if (keeper) return found('application', keeper, false);
  const born = birth.find((frame) => partyOf(frame.file) === 'package');
  return born && { ...found('package', born, false), fromBirth: true };
}

function found(by: HandOver['by'], frame: Frame, viaEmitter: boolean): HandOver {
  const name = by === 'package' ? packageOf(frame.file) : undefined;
  return { by, frame, package: name, viaEmitter, fromBirth: false };
}

/** The package only brought a request to its handler, as frameworks do. */
function isDispatch(outer: readonly Frame[], at: number): boolean {
  const rest = outer.slice(at);
  return rest.some((frame) => SERVER.test(frame.file)) && !firstApplication(rest);
}

function firstApplication(frames: readonly Frame[]): Frame | undefined {
  return frames.find((frame) => partyOf(frame.file) === 'application');
}

/** The application's first frame in another file, before anything else was on the stack. */
function otherFile(outer: readonly Frame[], your: Frame): Frame | undefined {
  for (const frame of outer) {
    const party = partyOf(frame.file);
    if (party === 'application' && frame.file !== your.file) return frame;
    if (party === 'package') return undefined;
  }
  return undefined;
}
