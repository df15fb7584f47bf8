import { OWN_FOLDERS } from '../base/own-files.ts';
import type { CallKind } from './callee.ts';
import type { Frame, Observation } from './record.ts';

/**
 * The kind of code a frame belongs to. A `tool` is a tracer: it stands between two others and
 * explains neither.
 */
export type Party = 'application' | 'package' | 'node' | 'tool';

/** Tracers, and the packages they patch with, recognised by name. */
const TOOLS = new RegExp(
  `^(?:${[
    '@opentelemetry/',
    '@sentry/',
    '@sentry-internal/',
    '@apm-js-collab/',
    '@elastic/opentelemetry-node$',
    '@instana/',
    '@splunk/otel$',
    '@newrelic/',
    'newrelic$',
    'elastic-apm-node$',
    'applicationinsights$',
    'dd-trace$',
    'dc-polyfill$',
    'require-in-the-middle$',
    'import-in-the-middle$',
    'shimmer$',
    'clew$',
  ].join('|')})`,
);
/** Functions that run another one in a context, or for a channel, and do not keep it. */
const PASSES =
  /^node:(?:async_hooks|diagnostics_channel|internal\/async_(?:hooks|local_storage.*))$/;
const EMITTER = /^node:(?:events|internal\/event_target)$/;
/** Names that packages use for the function in which they emit. */
const EMITS = /(?:^|\.)(?:emit|fire|publish|trigger|dispatchEvent)(?:Async|Sync)?$/;
const SERVER = /^node:(?:_http_server|internal\/http2\/(?:core|compat))$/;
/** What the server calls when a response is over: no request comes by it. */
const ENDS =
  /(?:^|\.)(?:resOnFinish|emitCloseNT|onServerResponseClose|socketOnClose|abortIncoming)$/;

const isServer = ({ file, fn = '' }: Frame): boolean => SERVER.test(file) && !ENDS.test(fn);

export function partyOf(file: string): Party {
  if (file === '' || !/^(?:[a-z]:)?[\\/]|^file:/i.test(file)) return 'node';
  if (OWN_FOLDERS.some((folder) => file.startsWith(folder))) return 'tool';
  const name = packageOf(file);
  if (name === undefined) return 'application';
  return TOOLS.test(name) ? 'tool' : 'package';
}

/** Returns the package that `file` is in, or undefined. */
export function packageOf(file: string): string | undefined {
  const path = file.replaceAll('\\', '/');
  const at = path.lastIndexOf('/node_modules/');
  if (at === -1) return undefined;
  const parts = path.slice(at + '/node_modules/'.length).split('/');
  return parts.slice(0, parts[0]?.startsWith('@') ? 2 : 1).join('/');
}

/** Returns the frames that were really on the stack, without those that only await it. */
export function synchronous(stack: readonly Frame[]): Frame[] {
  const end = stack.findIndex((frame) => frame.isAsync);
  return end === -1 ? [...stack] : stack.slice(0, end);
}

/** How the caller obtained the function it called, if its source can be read. */
export type ReadCall = (callee: Frame, caller: Frame) => CallKind | undefined;

/**
 * Returns the application's innermost line: a call of its own, otherwise the function that awaits.
 * For helpers that the application calls by name, returns the line that calls them.
 */
export function yourFrame(stack: readonly Frame[], read?: ReadCall): Frame | undefined {
  const first = stack.findIndex((frame) => partyOf(frame.file) === 'application');
  return first === -1 ? undefined : stack[callbackIn(stack, first, read)];
}

/** Returns the frame of the callback that calls the helper at `at`, or helpers that call it. */
function callbackIn(stack: readonly Frame[], at: number, read: ReadCall | undefined): number {
  for (let index = at; index + 1 < stack.length; index++) {
    const caller = stack[index + 1] as Frame;
    const isOwn = caller.isAsync !== true && partyOf(caller.file) === 'application';
    if (!isOwn || read?.(stack[index] as Frame, caller) !== 'by name') return index;
  }
  return stack.length - 1;
}

/** The code that kept the callback and called it later. */
export interface HandOver {
  readonly by: 'package' | 'application' | 'node';
  readonly frame: Frame;
  readonly package?: string | undefined;
  /** Whether it was called as the listener of an emitter. */
  readonly viaEmitter: boolean;
  /**
   * Whether no frame of it was on the stack, but it created the async resource whose callback ran.
   */
  readonly fromBirth: boolean;
  /** It called a function that it had kept of a package, which called the application's. */
  readonly viaTable?: boolean;
  /** Its source shows that it called what it had kept. */
  readonly isKept?: boolean;
  /**
   * Whether it was on an earlier stack, and nothing in its source shows that it kept the callback.
   */
  readonly isGuess?: boolean;
}

/**
 * Finds the code that handed over in an observation, from its stack and from where its async
 * resources were created. `isAround` returns whether a frame is in a callback that also contains
 * the line of the loss.
 */
export function handOverIn(
  seen: Pick<Observation, 'stack' | 'birth' | 'handle'>,
  read?: ReadCall,
  isAround?: (frame: Frame) => boolean,
  tables?: Tables,
): HandOver | undefined {
  const { stack, birth = [], handle } = seen;
  const found = handOverOf(stack, [...birth, ...(handle?.stack ?? [])], read, tables);
  if (!isAround || found?.by === 'application') return found;
  return earlierIn(birth, read, isAround, found, tables) ?? found;
}

/**
 * Finds the code that handed over some turns before. A context goes from the turn that creates an
 * async resource to the turn of its callback, so a callback on the way that is around the line
 * already ran in the other context.
 */
function earlierIn(
  birth: readonly Frame[],
  read: ReadCall | undefined,
  isAround: (frame: Frame) => boolean,
  found: HandOver | undefined,
  tables?: Tables,
): HandOver | undefined {
  let guess: HandOver | undefined;
  for (const [at, frame] of birth.entries()) {
    if (!isAround(frame)) continue;
    const outer = synchronous(fromThere(birth, at));
    const earlier = handOverOf(outer, [], read, tables);
    if (!earlier || earlier.by === 'node') continue;
    if (earlier.isKept) return earlier;
    // Where a request was served, what called its handler only brought it there.
    const isServed = outer.some(isServer);
    if (earlier.viaEmitter) guess ??= earlier;
    else if (!isServed) guess ??= { ...earlier, isGuess: earlier.by === 'application' };
  }
  // Code that was on the stack itself is better evidence.
  return found?.by === 'package' && !found.fromBirth ? undefined : guess;
}

/** Returns the frames from `at` on, as one stack. */
function fromThere(frames: readonly Frame[], at: number): Frame[] {
  return frames
    .slice(at)
    .map((frame, index) => (index === 0 ? { ...frame, isAsync: false } : frame));
}

/**
 * Finds the code that handed over: the first package outside of the application's frames, or the
 * application's code that emitted the event or kept the callback.
 */
export function handOverOf(
  stack: readonly Frame[],
  birth: readonly Frame[] = [],
  read?: ReadCall,
  tables?: Tables,
): HandOver | undefined {
  const frames = synchronous(stack).filter(({ file }) => partyOf(file) !== 'tool');
  const first = frames.findIndex((frame) => partyOf(frame.file) === 'application');
  const your = first === -1 ? -1 : callbackIn(frames, first, read);
  const kept = your === -1 ? undefined : keeperIn(frames, your, read);
  if (kept) return { ...found('application', kept, EMITS.test(kept.fn ?? '')), isKept: true };
  const outer = frames.slice(your + 1);
  const emitter = outer.findIndex((frame) => EMITTER.test(frame.file));
  const packaged = outer.findIndex((frame) => partyOf(frame.file) === 'package');
  const viaEmitter = emitter !== -1 && (packaged === -1 || emitter < packaged);
  if (packaged !== -1 && !isDispatch(outer, packaged)) {
    // An event that the application emits between the two is attributed to the application.
    const between = viaEmitter ? firstApplication(outer.slice(emitter, packaged)) : undefined;
    if (between) return found('application', between, true);
    const beyond = tables && pastTables(outer, packaged, tables);
    if (beyond) return { ...found('package', beyond, false), viaTable: true };
    const frame = outer[packaged] as Frame;
    return found('package', frame, viaEmitter || EMITS.test(frame.fn ?? ''));
  }
  const isServed = outer.some(isServer);
  if (viaEmitter && !(isServed && !firstApplication(outer.slice(emitter)))) {
    const after = outer.slice(emitter);
    const application = firstApplication(after);
    const emits =
      application ?? after.find(({ file }) => !EMITTER.test(file) && !PASSES.test(file));
    if (emits) return found(application ? 'application' : 'node', emits, true);
    // A tracer may stand where Node emits, with more frames than a captured stack can hold.
    const isWhole = frames.length === synchronous(stack).length;
    if (isWhole && after.length === 1) return found('node', after[0] as Frame, true);
  }
  const keeper = your === -1 ? undefined : otherFile(outer, frames[your] as Frame);
  if (keeper) return found('application', keeper, false);
  const born = birth.findIndex(
    ({ file }, index) => partyOf(file) === 'package' && !isDispatch(fromThere(birth, index), 0),
  );
  if (born === -1) return undefined;
  const beyond = tables && pastTables(synchronous(fromThere(birth, born)), 0, tables);
  const viaTable = beyond ? { viaTable: true } : {};
  return {
    ...found('package', beyond ?? (birth[born] as Frame), false),
    fromBirth: true,
    ...viaTable,
  };
}

/** What is known of packages that call handlers which they were given once, for all requests. */
export interface Tables {
  /** Whether a package called the application's handler out of such a table. */
  readonly isTable: (packageName: string) => boolean;
  /** Packages that brought requests to their handlers; what keeps some may bring others at once. */
  readonly dispatchers: ReadonlySet<string>;
}

/** The frame of the package that called a table of handlers: that one had kept the work of a request. */
function pastTables(
  outer: readonly Frame[],
  at: number,
  { isTable, dispatchers }: Tables,
): Frame | undefined {
  const table = packageOf(outer[at]?.file ?? '') ?? '';
  if (!isTable(table)) return undefined;
  const end = outer.findIndex(({ file }) => partyOf(file) === 'application');
  const reach = end === -1 ? outer : outer.slice(0, end);
  const last = reach.findLastIndex(({ file }) => packageOf(file) === table);
  const beyond = reach.slice(last + 1).filter(({ file }) => partyOf(file) === 'package');
  return beyond.find(({ file }) => !dispatchers.has(packageOf(file) ?? '')) ?? beyond.at(-1);
}

/** Returns the application's frame that called the callback from the place where it was kept. */
function keeperIn(
  frames: readonly Frame[],
  your: number,
  read: ReadCall | undefined,
): Frame | undefined {
  if (!read) return undefined;
  for (let index = your + 1; index < frames.length; index++) {
    const caller = frames[index] as Frame;
    if (partyOf(caller.file) !== 'application') return undefined;
    const kind = read(frames[index - 1] as Frame, caller);
    if (kind === undefined) return undefined;
    if (kind === 'kept') return isRouter(frames.slice(index)) ? undefined : caller;
  }
  return undefined;
}

function found(by: HandOver['by'], frame: Frame, viaEmitter: boolean): HandOver {
  const name = by === 'package' ? packageOf(frame.file) : undefined;
  return { by, frame, package: name, viaEmitter, fromBirth: false };
}

/** Whether the package only brought a request to its handler, as frameworks do. */
function isDispatch(outer: readonly Frame[], at: number): boolean {
  const rest = synchronous(outer.slice(at));
  return rest.some(isServer) && !firstApplication(rest);
}

/** Whether a table of the application itself brought a request to its handler. */
function isRouter(outer: readonly Frame[]): boolean {
  return isDispatch(outer, 1);
}

function firstApplication(frames: readonly Frame[]): Frame | undefined {
  return frames.find((frame) => partyOf(frame.file) === 'application');
}

/** Returns the application's first frame in another file, before anything else was on the stack. */
function otherFile(outer: readonly Frame[], your: Frame): Frame | undefined {
  for (const frame of outer) {
    const party = partyOf(frame.file);
    if (party === 'application' && frame.file !== your.file) return frame;
    if (party === 'package') return undefined;
  }
  return undefined;
}

/** The packages that called a handler, of which `isHandler` tells the frames. */
export function callersOf(
  isHandler: (frame: Frame) => boolean,
  stacks: readonly (readonly Frame[])[],
): Set<string> {
  const callers = stacks.flatMap((stack) =>
    stack.filter((_, at) => at > 0 && isHandler(stack[at - 1] as Frame)),
  );
  return new Set(callers.flatMap(({ file }) => packageOf(file) ?? []));
}

/** The packages that brought requests to their handlers, on these stacks. */
export function dispatchersIn(stacks: Iterable<readonly Frame[]>): Set<string> {
  const found = new Set<string>();
  for (const stack of stacks) {
    for (const turn of turnsOf(stack)) {
      const handler = turn.findLastIndex(({ file }) => partyOf(file) === 'application');
      if (handler === -1 || !isDispatch(turn, handler + 1)) continue;
      for (const { file } of turn.slice(handler + 1))
        if (partyOf(file) === 'package') found.add(packageOf(file) ?? '');
    }
  }
  return found;
}

/** Returns the stacks of the turns to which a series of creation stacks belongs. */
function turnsOf(stack: readonly Frame[]): Frame[][] {
  const turns: Frame[][] = [];
  for (const frame of stack) {
    if (frame.isAsync || turns.length === 0) turns.push([]);
    turns.at(-1)?.push(frame);
  }
  return turns;
}
