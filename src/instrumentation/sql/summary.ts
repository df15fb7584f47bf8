import type { SqlDialect, TokenKind } from './dialects.ts';
import { CteNames, newFrame, type Frame } from './parse-frame.ts';
import { QualifiedName } from './qualified-name.ts';
import {
  BEFORE_NAME,
  BEFORE_TABLE,
  BODIES,
  DEFINING_VERBS,
  ENDS_LIST,
  FROM_VERBS,
  INNER_VERBS,
  INTO_VERBS,
  MODIFIERS,
  NO_TARGET,
  OBJECTS,
  ON_A_TABLE,
  OTHER_BEGINNINGS,
  PEOPLE,
  TABLE_VERBS,
  USING_VERBS,
  VERBS,
  type Verb,
} from './statements.ts';
import { SummaryParts } from './summary-parts.ts';

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Makes the summary: operations and targets in the order and the spelling of the statement.
 *
 * It is told every token and keeps no text but the parts of the summary. It also tells the reader
 * of the text where a name is expected, which is how an ambiguous `"x"` is decided.
 */
export class SummaryReader {
  /** The verb of the current statement, in upper case. */
  statement = '';
  /** A statement begins with a word no statement begins with: who knows what this text is. */
  foreign = false;
  readonly #dialect: SqlDialect;
  readonly #parts = new SummaryParts();
  #frames: Frame[] = [newFrame('all')];
  #frame: Frame = this.#frames[0]!;
  readonly #ctes = new CteNames();
  /** The target being read. */
  readonly #name = new QualifiedName();
  #verb: Verb | undefined;
  /** The operation may still grow: `TRUNCATE` by `TABLE`. */
  #growing = false;
  /** What a `CREATE` or the like is about, and whether its `ON` was seen. */
  #object = '';
  #sawOn = false;
  #skipping: 'statement' | 'everything' | undefined;
  /** Where the targets before `DELETE a FROM` begin in the parts; they are named again behind it. */
  #provisional = -1;
  /** The last two tokens: words in upper case, a dot, or nothing. */
  #last = '';
  #before = '';
  #operations = 0;
  #procedure: string | undefined;
  #isProcedure = false;

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect;
  }

  /** True where only the name of a table, a procedure or the like can stand. */
  get expectsName(): boolean {
    if (this.#skipping) return false;
    return this.#frame.target !== undefined || this.#frame.cte === 'name' || this.#name.endsInDot;
  }

  /** The same, in a statement in which that name is a table's. */
  get expectsTable(): boolean {
    if (this.#skipping) return false;
    return this.#frame.target !== undefined && TABLE_VERBS.has(this.#frame.verb);
  }

  /** `upper` is a word's value in upper case, and empty for all else. */
  token(kind: TokenKind, value: string, upper: string): void {
    if (kind === 'space' || kind === 'comment') return;
    if (kind === 'semicolon') return this.#nextStatement();
    if (this.#skipping) {
      if (upper === 'ATOMIC') this.#skipping = 'everything';
      return;
    }
    if (!this.#name.isEmpty) {
      if (this.#name.take(kind, value)) return;
      this.#endName();
      if (this.#skipping) return;
    }
    switch (kind) {
      case 'open':
        return this.#open();
      case 'close':
        return this.#close();
      case 'comma':
        this.#growing = false;
        if (this.#frame.cte === 'tail') this.#frame.cte = 'name';
        else if (this.#frame.list) this.#frame.target = BEFORE_TABLE;
        return;
      case 'word':
        if (this.#last === '.') this.#remember('');
        else this.#word(value, upper);
        return;
      case 'name':
      case 'either':
        this.#growing &&= this.#isDefining;
        this.#nameToken(value);
        return this.#remember('');
      default:
        this.#other(kind, value);
        return this.#remember(value === '.' ? '.' : '');
    }
  }

  /** The summary, and the procedure called if the text does nothing but call one. */
  end(): { summary: string | undefined; storedProcedure: string | undefined } {
    if (!this.#name.isEmpty) this.#endName();
    this.#dropRepeated();
    return {
      summary: this.#parts.count > 0 ? this.#parts.toString() : undefined,
      storedProcedure: this.#operations === 1 ? this.#procedure : undefined,
    };
  }

  /** The first operation: what may be told of a text that could not be read. */
  firstOperation(): string | undefined {
    return this.#parts.first;
  }

  #word(value: string, upper: string): void {
    const frame = this.#frame;
    if (this.#growing) {
      if (this.#grow(value, upper)) return this.#remember(upper);
      this.#growing = false;
      if (this.#skipping) return;
    }
    if (frame.cte) this.#cte(value, upper);
    else if (frame.target && !NO_TARGET.has(upper)) {
      if (!frame.target.has(upper)) this.#startName(value);
    } else if (frame.start && this.#begins(upper)) this.#operation(value, upper);
    else {
      if (frame.start && frame.verbs === 'all' && frame.verb === '')
        this.foreign ||= !OTHER_BEGINNINGS.has(upper);
      frame.target = undefined;
      if (frame.verb !== 'EXPLAIN') frame.start = false;
      this.#clause(value, upper);
    }
    this.#remember(upper);
  }

  /** Between `CREATE` and what is created: `CREATE DEFINER = a@b VIEW`. */
  get #isDefining(): boolean {
    return this.#object === '' && DEFINING_VERBS.has(this.#frame.verb);
  }

  #begins(upper: string): boolean {
    if (upper === 'WITH') return true;
    const { verbs, verb } = this.#frame;
    if (upper === 'SELECT') return true;
    if (verbs === 'select') return false;
    return verbs === 'inner' || verb === 'EXPLAIN' ? INNER_VERBS.has(upper) : VERBS.has(upper);
  }

  /** A verb: the name of an operation, and what to look for behind it. */
  #operation(value: string, upper: string): void {
    const frame = this.#frame;
    if (upper === 'WITH') {
      frame.cte = 'name';
      return;
    }
    const verb = VERBS.get(upper)!;
    if (this.#frames.length === 1 && this.statement === '') this.statement = upper;
    if (upper === 'SELECT') this.#dropRepeated();
    const before = this.#parts.count;
    frame.repeated = upper === 'SELECT' && frame.bare === before;
    this.#parts.push(value);
    frame.bare = upper === 'SELECT' && this.#parts.count > before ? before + 1 : -1;
    this.#operations++;
    this.#provisional = upper === 'DELETE' ? this.#parts.count : -1;
    this.#isProcedure = verb.procedure === true;
    this.#verb = verb;
    this.#object = '';
    this.#sawOn = false;
    this.#growing = true;
    frame.verb = upper;
    frame.start = verb.prefix === true;
    frame.list = verb.list === true;
    frame.target = verb.target ? (verb.skip ?? NOTHING) : undefined;
    // There `EXECUTE` runs a prepared statement, whose name is one of the moment.
    if (upper === 'EXECUTE' && this.#dialect !== 'mssql' && this.#dialect !== 'other_sql') {
      frame.target = undefined;
      this.#skipping = 'statement';
    }
    if (verb.last && !verb.target && !verb.follow) this.#skipping = 'statement';
  }

  /** Of the rows of `SELECT ? UNION ALL SELECT ?` one is told: their number is the moment's. */
  #dropRepeated(): void {
    const frame = this.#frame;
    if (!frame.repeated || frame.bare !== this.#parts.count) return;
    this.#parts.backTo(--frame.bare);
    frame.repeated = false;
  }

  /** Words right behind a verb that belong to the name of its operation. */
  #grow(value: string, upper: string): boolean {
    const frame = this.#frame;
    if (DEFINING_VERBS.has(frame.verb)) return this.#growObject(value, upper);
    if (this.#verb?.follow?.has(upper)) {
      this.#parts.push(value);
      if (upper === 'IMMEDIATE' && frame.verb === 'EXECUTE') frame.target = undefined;
      return true;
    }
    if (this.#verb?.last && !this.#verb.target) this.#skipping = 'statement';
    return false;
  }

  #growObject(value: string, upper: string): boolean {
    if (OBJECTS.has(upper) && (this.#object === '' || this.#object === 'MATERIALIZED')) {
      this.#parts.push(value);
      this.#object = upper;
      this.#frame.target = upper === 'MATERIALIZED' ? undefined : BEFORE_NAME;
      this.#frame.list = this.#frame.verb === 'DROP';
      if (PEOPLE.has(upper)) this.#skipping = 'statement';
      return true;
    }
    if (this.#object !== '') return false;
    if (MODIFIERS.has(upper)) return true;
    this.#skipping = 'statement';
    return false;
  }

  /** A word inside a statement. */
  #clause(value: string, upper: string): void {
    const frame = this.#frame;
    switch (upper) {
      case 'SELECT':
        return this.#operation(value, upper);
      case 'FROM':
        if (!FROM_VERBS.has(frame.verb)) return;
        // `a IS NOT DISTINCT FROM b` compares.
        if (this.#last === 'DISTINCT' && /^(?:IS|NOT)$/.test(this.#before)) return;
        if (this.#provisional >= 0) this.#parts.backTo(this.#provisional);
        this.#provisional = -1;
        frame.target = BEFORE_TABLE;
        frame.list = true;
        return;
      case 'JOIN':
      case 'STRAIGHT_JOIN':
      case 'APPLY':
        if (frame.list) frame.target = BEFORE_TABLE;
        return;
      case 'INTO':
        if (!INTO_VERBS.has(frame.verb)) return;
        frame.target = frame.verb === 'LOAD' ? VERBS.get('INSERT')!.skip! : BEFORE_TABLE;
        return;
      case 'USING':
        if (!USING_VERBS.has(frame.verb)) return;
        frame.target = BEFORE_TABLE;
        frame.list = frame.verb === 'DELETE';
        return;
      case 'ON':
        if (!ON_A_TABLE.has(this.#object) || this.#sawOn) return;
        this.#sawOn = true;
        frame.target = BEFORE_TABLE;
        return;
      case 'AS':
        if (frame.verb !== 'PREPARE' || frame.list) return;
        frame.start = true;
        frame.verbs = 'inner';
        return;
      case 'WITH':
        // `INSERT INTO t WITH x AS (...) SELECT`; elsewhere it brings options or hints.
        if (frame.verb === 'INSERT' || frame.verb === 'CREATE') frame.cte = 'name';
        return;
      default:
        if (ENDS_LIST.has(upper)) frame.list = false;
    }
  }

  #cte(value: string, upper: string): void {
    const frame = this.#frame;
    if (frame.cte === 'name') {
      if (upper === 'RECURSIVE') return;
      this.#ctes.add(value);
      frame.cte = 'as';
    } else if (frame.cte === 'as' && upper === 'AS') frame.cte = 'body';
    else if (frame.cte === 'tail' && INNER_VERBS.has(upper)) {
      frame.cte = undefined;
      this.#operation(value, upper);
    }
  }

  #open(): void {
    const frame = this.#frame;
    const after = this.#last;
    const child = newFrame('select');
    this.#growing = false;
    if (frame.cte === 'body') {
      frame.cte = 'tail';
      child.verbs = 'inner';
    } else if (frame.verb === 'COPY' && frame.target) {
      child.verbs = 'inner';
      frame.target = undefined;
    } else if (frame.cte) {
      // The columns of a common table expression; `WITH (...)` without a name is none.
      if (frame.cte === 'name') frame.cte = undefined;
    } else if (frame.verb === '' && frame.start) {
      child.verbs = frame.verbs;
    } else if (frame.target && after !== 'TOP' && after !== 'USING' && !this.#verb?.options) {
      // `FROM (a JOIN b)`
      child.verb = frame.verb;
      child.target = frame.target;
      child.list = true;
      frame.target = undefined;
    } else if (after === 'USING') frame.target = undefined;
    if (frame.verb !== 'EXPLAIN' && frame.cte === undefined) frame.start = false;
    this.#frames.push(child);
    this.#frame = child;
    this.#remember('');
  }

  #close(): void {
    this.#growing = false;
    if (this.#frames.length > 1) {
      this.#dropRepeated();
      this.#frames.pop();
      this.#frame = this.#frames.at(-1)!;
    }
    this.#remember('');
  }

  #nameToken(value: string): void {
    const frame = this.#frame;
    if (frame.cte === 'name') {
      this.#ctes.add(value);
      frame.cte = 'as';
    } else if (frame.target) this.#startName(value);
    else if (frame.verb !== 'EXPLAIN') frame.start = false;
  }

  /** Operators, values, parameters. */
  #other(kind: TokenKind, value: string): void {
    const frame = this.#frame;
    // `{call f(?)}`, `{? = call f(?)}` and `EXEC @result = f`
    if (frame.start && frame.verb === '' && /^[{}?=]$/.test(value)) return;
    if (frame.verb === 'EXEC' || frame.verb === 'EXECUTE') {
      if (kind === 'param' || value === '=') return;
    }
    if (value === '.') return;
    if (frame.verb !== 'EXPLAIN') frame.start = false;
    if (this.#growing && this.#verb?.last && !this.#verb.target) this.#skipping = 'statement';
    this.#growing &&= this.#isDefining;
    if (frame.target && this.#last !== 'TOP') frame.target = undefined;
  }

  #startName(value: string): void {
    this.#name.start(value);
    this.#frame.target = undefined;
    this.#growing = false;
  }

  #endName(): void {
    const name = this.#name.end();
    this.#frame.bare = -1;
    if (!this.#ctes.has(name)) {
      this.#parts.push(name);
      if (this.#isProcedure) this.#procedure = name;
    }
    this.#isProcedure = false;
    if (this.#verb?.last) this.#skipping = 'statement';
    if (BODIES.has(this.#object) && (this.#sawOn || !ON_A_TABLE.has(this.#object)))
      // PostgreSQL quotes a body or says `ATOMIC`; elsewhere it holds statements of its own.
      this.#skipping = this.#dialect === 'postgresql' ? 'statement' : 'everything';
  }

  #nextStatement(): void {
    if (!this.#name.isEmpty) this.#endName();
    if (this.#skipping === 'everything') return;
    this.#skipping = undefined;
    this.#dropRepeated();
    this.#frames = [newFrame('all')];
    this.#frame = this.#frames[0]!;
    this.#ctes.clear();
    this.statement = '';
    this.#object = '';
    this.#verb = undefined;
    this.#growing = false;
    this.#isProcedure = false;
    this.#provisional = -1;
    this.#last = this.#before = '';
  }

  #remember(upper: string): void {
    this.#before = this.#last;
    this.#last = upper;
  }
}
