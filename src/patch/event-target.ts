import type { AnyFunction, BindListener, EventName } from './listeners.ts';

/*
 * Listeners of an `EventTarget`.
 *
 * Node identifies a listener by the function and the phase: for removal, for duplicates, for
 * `getEventListeners`, for the hooks of its subclasses. So the target registers the listener that
 * it was given, with all options, and only the function that Node calls for it is replaced
 * afterwards. Node keeps that function as `callback` on the entry of the listener, in a list under
 * the symbol `kEvents`. The list is not public: if its shape is unknown, `entriesKey` is undefined,
 * and event targets are left alone.
 */

/** Node's entry of a listener. */
interface Entry {
  next: Entry | undefined;
  readonly listener: unknown;
  /** Called with the target as `this`; a `WeakRef` where Node holds its own listener weakly. */
  callback: unknown;
  readonly weak: boolean;
}

interface Entries {
  next: Entry | undefined;
}

const IS_EVENT_TARGET = Symbol.for('nodejs.event_target');

/** Whether `target` is an event target of Node, or the prototype of one. */
export function isEventTarget(target: object): boolean {
  return (target.constructor as { [IS_EVENT_TARGET]?: unknown })[IS_EVENT_TARGET] === true;
}

const entriesKey: symbol | undefined = findEntriesKey();

/** Whether the listeners of event targets can be bound on this Node. */
export const canBindEventListeners: boolean = entriesKey !== undefined;

/**
 * Returns an `addEventListener` that uses `bind` to replace the function called for each new
 * listener. Listeners that Node holds weakly are Node's own and stay as they are.
 */
export function addingEventListener(original: AnyFunction, bind: BindListener): AnyFunction {
  return function addEventListener(this: unknown, type: EventName): unknown {
    const previous = lastEntry(this, type);
    // oxlint-disable-next-line prefer-rest-params
    const result = Reflect.apply(original, this, arguments);
    const added = lastEntry(this, type);
    if (added === undefined || added === previous || typeof added.callback !== 'function') {
      return result;
    }
    const bound = bind(added.callback as AnyFunction, type);
    if (bound !== undefined) added.callback = bound;
    return result;
  };
}

/** The listener that was added last, where `target` and `type` are what Node takes. */
function lastEntry(target: unknown, type: unknown): Entry | undefined {
  if (entriesKey === undefined || typeof type !== 'string') return undefined;
  if (typeof target !== 'object' || target === null) return undefined;
  const lists = (target as Record<symbol, Map<string, Entries> | undefined>)[entriesKey];
  let last: Entry | undefined;
  for (let entry = lists?.get(type)?.next; entry !== undefined; entry = entry.next) last = entry;
  return last;
}

/** Each way in which Node meets an entry whose callback was replaced, tried once. */
function findEntriesKey(): symbol | undefined {
  try {
    const target = new EventTarget();
    const key = Object.getOwnPropertySymbols(target).find(
      ({ description }) => description === 'kEvents',
    );
    if (key === undefined) return undefined;
    const calls: string[] = [];
    const listener = (): void => void calls.push('listener');
    target.addEventListener('probe', listener);
    const lists = (target as unknown as Record<symbol, Map<string, Entries>>)[key];
    const entry = lists?.get('probe')?.next;
    if (entry?.listener !== listener || entry.callback !== listener) return undefined;
    if (entry.next !== undefined || entry.weak) return undefined;
    entry.callback = () => void calls.push('callback');
    target.addEventListener('probe', listener);
    target.dispatchEvent(new Event('probe'));
    target.removeEventListener('probe', listener);
    target.dispatchEvent(new Event('probe'));
    return calls.length === 1 && calls[0] === 'callback' ? key : undefined;
  } catch {
    return undefined;
  }
}
