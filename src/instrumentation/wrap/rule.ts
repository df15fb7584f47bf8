/** The ways a rule can give work back to its caller; `docs/rules.md` explains each. */
export const RULE_KINDS = [
  'args',
  'emitter',
  'task',
  'handler',
  'root',
  'latest',
  'iterator',
  'config',
] as const;

/** The kinds of repair. */
export type RuleKind = (typeof RULE_KINDS)[number];

/** What every rule can say. */
interface RuleBase {
  /**
   * The path from the target to what is wrapped, where the target itself does not have the method:
   * `Class`, `Class#` (its prototype), `factory()` and `Class#method()` (what it returns),
   * `default`, `a.b`.
   */
  on?: string;
  /** The method, or several that are to be treated alike; none if `on` ends at the function. */
  method?: string | readonly string[];
  /** The library, for `clew.repaired` on spans. */
  module?: string;
  /** The type of the async resources; the library and the method unless said. */
  type?: string;
  /**
   * Who calls the callback is its cause (an emitter) and not just whoever made room for it (a
   * queue): spans of the callback are linked to the caller's span. Always so for `emitter`.
   */
  emits?: boolean;
}

/** Functions passed to the method run in the context of the method's caller. */
export interface ArgsRule extends RuleBase {
  kind: 'args';
  /** Which arguments; all functions among them unless said. `-1` is the last one. */
  argument?: number | readonly number[];
}

/** Listeners run in the context in which they were registered, if one was active there. */
export interface EmitterRule extends RuleBase {
  kind: 'emitter';
  /** The events concerned; all unless said. */
  events?: readonly string[];
  /**
   * The property under which this emitter looks for the original of a wrapped listener when one is
   * removed: `listener` for Node's own emitters, which is the default.
   */
  originalKey?: string;
  /**
   * `lost`: only where no context is active when the event is emitted. For emitters that people
   * use from a richer context than that of the registration; `always` otherwise.
   */
  when?: 'lost' | 'always';
  /** The argument that is the listener; the second unless said. */
  listener?: number;
  /** Methods that remove by identity alone: they are given the wrapper in place of the listener. */
  remove?: string | readonly string[];
  /** Methods that return listeners: they show the originals. */
  list?: string | readonly string[];
}

/** The context travels with a queued item and is entered when the item is worked on. */
export interface TaskRule extends RuleBase {
  kind: 'task';
  /** The methods that work on an item; or see `worker`. */
  enter?: string | readonly string[];
  /** The argument of the factory that is the worker, when the target is a factory. */
  worker?: number;
  /** Methods that queue an item before the others. */
  front?: string | readonly string[];
  /** Methods that drop queued items; what waits when they are called is not repaired. */
  forget?: string | readonly string[];
  /** The argument that is the item; the first unless said. */
  argument?: number;
  /** The worker is given an array of items, whose callers may differ. */
  batch?: boolean;
  /** An array as the item stands for its elements. */
  spread?: boolean;
  /**
   * Several objects pass the item on to one another, and each enters the context of whoever queued
   * it first: all rules with the same name work together. For items that are objects.
   */
  share?: string;
}

/** The functions of an object passed to the method run in the context of the method's caller. */
export interface HandlerRule extends RuleBase {
  kind: 'handler';
  /** Which argument is the object; the first unless said. */
  argument?: number;
  /** An object that has this member is the library's own and is left alone. */
  unless?: string;
}

/** The method runs in the root context, not in that of its first caller. */
export interface RootRule extends RuleBase {
  kind: 'root';
  /**
   * `root` (the default) leaves every store, `trace` only the trace: other stores of the
   * application are kept.
   */
  leave?: 'root' | 'trace';
}

/** A coalesced call runs in the context of its last caller. The target returns the function. */
export interface LatestRule extends RuleBase {
  kind: 'latest';
}

/** Each step of an iterator the method returns runs in the context of the method's caller. */
export interface IteratorRule extends RuleBase {
  kind: 'iterator';
}

/** The library can do it itself: the method is called with these arguments. */
export interface ConfigRule extends RuleBase {
  kind: 'config';
  arguments: readonly unknown[];
  /** The arguments that turn it off again. */
  undoArguments?: readonly unknown[];
}

/** A repair of one method: its kind, the path to the method, and the options of that kind. */
export type Rule =
  | ArgsRule
  | EmitterRule
  | TaskRule
  | HandlerRule
  | RootRule
  | LatestRule
  | IteratorRule
  | ConfigRule;
