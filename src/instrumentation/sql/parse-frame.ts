/** What is known between a pair of parentheses, or outside of all. */
export interface Frame {
  /** The verb whose clauses stand here; empty inside an expression. */
  verb: string;
  /** Only verbs and what may precede them were seen. */
  start: boolean;
  /** Which verbs may begin a statement here. */
  verbs: 'all' | 'inner' | 'select';
  /** The next name is a target, and these words may stand before it. */
  target: ReadonlySet<string> | undefined;
  /** A comma brings another target. */
  list: boolean;
  /** Where in `WITH name AS (body)` we are. */
  cte: 'name' | 'as' | 'body' | 'tail' | undefined;
  /** How many parts there were behind the last `SELECT`, which has named nothing; -1 when it has. */
  bare: number;
  /** The `SELECT` before it, of the same union, had named nothing either. */
  repeated: boolean;
}

export function newFrame(verbs: Frame['verbs']): Frame {
  return {
    verb: '',
    start: true,
    verbs,
    target: undefined,
    list: false,
    cte: undefined,
    bare: -1,
    repeated: false,
  };
}

/** Names of common table expressions, which are no collections: `WITH a AS (...) SELECT * FROM a`. */
export class CteNames {
  #names: Set<string> | undefined;

  add(name: string): void {
    (this.#names ??= new Set()).add(keyOf(name));
  }

  has(name: string): boolean {
    return this.#names?.has(keyOf(name)) ?? false;
  }

  clear(): void {
    this.#names = undefined;
  }
}

function keyOf(name: string): string {
  return /^\w+$/.test(name) ? name.toUpperCase() : name;
}
