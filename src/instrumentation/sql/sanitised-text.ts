import type { SqlDialect, TokenKind } from './dialects.ts';

const PLACEHOLDER = '?';

/** Words behind which a sign belongs to the number: `LIMIT -1`. */
const UNARY_BEHIND: ReadonlySet<string> = new Set(
  (
    'SELECT WHERE AND OR NOT IN LIKE BETWEEN THEN ELSE WHEN CASE VALUES SET LIMIT OFFSET BY RETURN DEFAULT ' +
    'INTERVAL ON HAVING IS TO DISTINCT ALL ANY WITH MOD DIV XOR RETURNING TOP FETCH MOVE FORWARD BACKWARD'
  ).split(' '),
);

/** Words behind which `SET` gives columns their values. */
const WRITES_COLUMNS: ReadonlySet<string> = new Set(['UPDATE', 'INSERT', 'MERGE']);

/**
 * Writes the statement again with `?` for every literal and nothing for every comment.
 *
 * Everything else stays as it was written, names and white space included. A list of nothing but
 * literals behind `IN` becomes one, neighbouring strings (which are one) become one, and the sign
 * of a number goes with it.
 */
export class SanitisedText {
  readonly #dialect: SqlDialect;
  readonly #parts: string[] = [];
  /** The last two tokens that count: what they were, words in upper case. */
  #last = '';
  #before = '';
  /** Where a sign stands that may turn out to belong to a number. */
  #sign = -1;
  /** Where the first literal of an `IN` list ends, while the list holds literals only. */
  #listStart = -1;
  #listLiterals = 0;
  #assigned = false;
  /** Behind a `SET` that is about a setting, and not about the columns of a table. */
  #setting = false;
  #writesColumns = false;

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect;
  }

  /** `statement` is the verb of the statement, `kept` says that an `either` is a name. */
  token(kind: TokenKind, value: string, upper: string, statement: string, kept: boolean): void {
    switch (kind) {
      case 'space':
        this.#parts.push(value);
        return;
      case 'comment':
        // A comment may stand for the space between two words.
        if (!/\s$/.test(this.#parts.at(-1) ?? ' ')) this.#parts.push(' ');
        return;
      case 'string':
      case 'number':
        return this.#literal(kind);
      case 'either':
        return kept ? this.#name(value, statement) : this.#literal('string');
      case 'name':
        return this.#name(value, statement);
      case 'word':
        return this.#word(value, upper, statement);
      case 'semicolon':
        this.#assigned = this.#setting = this.#writesColumns = false;
        return this.#keep(value, ';');
      case 'close':
        this.#collapse();
        return this.#keep(value, ')');
      case 'open':
        if (this.#last === 'IN') {
          this.#keep(value, '(');
          this.#listStart = this.#parts.length;
          this.#listLiterals = 0;
        } else this.#keep(value, '(');
        if (statement === 'PRAGMA') this.#assigned = true;
        return;
      case 'comma':
        return this.#keep(value, ',');
      default:
        if (value === '=' || value === ':=') this.#assigned = true;
        return this.#keep(value, kind === 'param' ? 'name' : value);
    }
  }

  toString(): string {
    return this.#parts.join('');
  }

  #word(value: string, upper: string, statement: string): void {
    const isName = this.#last === '.';
    if (!isName && (upper === 'TRUE' || upper === 'FALSE')) {
      // `x IS NOT TRUE` is a test of its own, not a comparison with a value.
      if (this.#last !== 'IS' && !(this.#last === 'NOT' && this.#before === 'IS'))
        return this.#literal('number');
    }
    if (this.#holdsAValue(statement) && upper !== 'DEFAULT') return this.#literal('string');
    if (WRITES_COLUMNS.has(upper)) this.#writesColumns = true;
    // Behind that of `ALTER ROLE` and of `CREATE FUNCTION`, too.
    if (!isName && upper === 'SET') this.#setting = statement === 'SET' || !this.#writesColumns;
    if (upper === 'TO' && this.#setting) this.#assigned = true;
    this.#keep(value, isName ? 'name' : upper);
  }

  #name(value: string, statement: string): void {
    if (this.#holdsAValue(statement)) this.#literal('string');
    else this.#keep(value, 'name');
  }

  /** Places where the grammar takes a bare or quoted name for a value. */
  #holdsAValue(statement: string): boolean {
    if (this.#last === 'BY' && this.#before === 'IDENTIFIED') return true;
    if (this.#setting && this.#dialect === 'postgresql') return this.#assigned;
    if (statement === 'PRAGMA') return this.#assigned;
    return statement === 'ATTACH' && this.#last === 'KEY';
  }

  #literal(kind: 'string' | 'number'): void {
    if (kind === 'number' && this.#sign >= 0) this.#parts.length = this.#sign;
    // 'a' 'b' is one string.
    else if (kind === 'string' && this.#last === 'string') {
      this.#trimTo(PLACEHOLDER);
      return;
    }
    this.#sign = -1;
    this.#parts.push(PLACEHOLDER);
    this.#before = this.#last;
    this.#last = kind;
    if (this.#listStart < 0) return;
    if (this.#listLiterals++ === 0) this.#listStart = this.#parts.length;
  }

  #keep(value: string, as: string): void {
    const sign = (value === '-' || value === '+') && this.#takesSign;
    this.#sign = sign ? this.#parts.length : -1;
    if (this.#listStart >= 0 && as !== ',' && !sign) this.#listStart = -1;
    this.#parts.push(value);
    this.#before = this.#last;
    this.#last = as;
  }

  /** Whether a sign here would be a number's own, and not an operation on what stands before it. */
  get #takesSign(): boolean {
    return this.#last === '' || /^[^\w)\]}?]+$/.test(this.#last) || UNARY_BEHIND.has(this.#last);
  }

  #collapse(): void {
    if (this.#listStart >= 0 && this.#listLiterals > 1) this.#parts.length = this.#listStart;
    this.#listStart = -1;
  }

  #trimTo(part: string): void {
    const end = this.#parts.lastIndexOf(part);
    if (end >= 0) this.#parts.length = end + 1;
  }
}
