import type { SqlDialect } from '../../../src/instrumentation/sql/sql-text.ts';
import { PLAIN, PROFILES, type Profile } from './generator-profiles.ts';
import { cat, separated, text, type Piece } from './piece.ts';

/*
 * Statements with planted secrets, built from a list of bytes: each choice takes one, and the first
 * and simplest option where there are none left. So fast-check shrinks what fails to its cause.
 */

/** Planted in every literal and comment, and nowhere else. */
export const SECRETS: readonly string[] = ['zqx', '7351'];
/** Stands for a comment in what is expected, until what stands before it is known. */
const COMMENT = '\u0001';

/** What planted text is made of, besides the secret between any two of these. */
const FRAGMENTS = [
  '',
  ' ',
  "'",
  '"',
  '\\',
  '--',
  '/*',
  '*/',
  ';',
  '$$',
  '$t$',
  '`',
  ']',
  '[',
  '\n',
  ' FROM zqx, ',
  '(',
  ')',
  '?',
  '#',
  '//',
  "E'",
  '\\n',
  'é',
  '\u{1f600}',
  ', ',
  ' INTO ',
  "''",
  '\t',
  '{',
  '-- ',
  '@',
];

class Choices {
  readonly #bytes: Uint8Array;
  #next = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  below(count: number): number {
    return (this.#bytes[this.#next++] ?? 0) % count;
  }

  of<T>(options: readonly T[]): T {
    return options[this.below(options.length)]!;
  }
}

const SIGNS = ['', '', '-', '+', '- '];

/** Builds one statement, or several, for `dialect` out of `bytes`; `signs` may precede numbers. */
export function generate(dialect: SqlDialect, bytes: Uint8Array, signs: string[] = SIGNS): Piece {
  const generator = new Generator(PROFILES[dialect], new Choices(bytes), signs);
  const piece = generator.script();
  return { ...piece, shown: resolveComments(piece.shown) };
}

/** A comment leaves a space behind, unless there is one already. */
function resolveComments(shown: string): string {
  let result = '';
  for (const character of shown) {
    if (character !== COMMENT) result += character;
    else if (result !== '' && !/\s$/.test(result)) result += ' ';
  }
  return result;
}

class Generator {
  readonly #profile: Profile;
  readonly #choices: Choices;
  readonly #signs: string[];
  #depth = 0;
  /** The `SELECT` that was made last names no table. */
  #isBare = false;

  constructor(profile: Profile, choices: Choices, signs: string[]) {
    this.#signs = signs;
    this.#profile = profile;
    this.#choices = choices;
  }

  script(): Piece {
    const statements = [this.#statement()];
    while (statements.length < 3 && this.#choices.below(8) === 7)
      statements.push(this.#statement());
    const end = this.#choices.of(['', ';', ' ;\n']);
    return cat(...separated(statements, '; '), text(end));
  }

  #statement(): Piece {
    const kinds = [
      () => this.#select(),
      () => this.#insert(),
      () => this.#update(),
      () => this.#delete(),
      () => this.#with(),
      () => this.#createTable(),
      () => this.#transaction(),
      () => (this.#profile.call ? this.#call() : this.#select()),
    ];
    return this.#choices.of(kinds)();
  }

  #select(): Piece {
    this.#depth++;
    const pieces = [this.#operation('SELECT')];
    if (this.#choices.below(6) === 5) pieces.push(this.#gap(), text('DISTINCT'));
    pieces.push(
      this.#gap(),
      this.#list(3, () => this.#item()),
    );
    if (this.#choices.below(8) !== 7) pieces.push(this.#gap(), this.#from());
    if (this.#choices.below(2))
      pieces.push(this.#gap(), text('WHERE'), this.#gap(), this.#expression());
    if (this.#choices.below(6) === 5)
      pieces.push(
        this.#gap(),
        text('GROUP BY '),
        this.#list(2, () => this.#column()),
      );
    if (this.#choices.below(6) === 5)
      pieces.push(
        this.#gap(),
        text('ORDER BY '),
        this.#list(2, () => this.#column()),
        text(' DESC'),
      );
    if (this.#choices.below(6) === 5) pieces.push(this.#gap(), text('LIMIT '), this.#number());
    const isBare = cat(...pieces).parts.length === 1;
    if (this.#depth < 3 && this.#choices.below(8) === 7) {
      const rest = this.#select();
      // Of rows of values one is told.
      if (isBare && this.#isBare) rest.parts.shift();
      pieces.push(this.#gap(), text('UNION ALL'), this.#gap(), rest);
    }
    this.#isBare = isBare;
    this.#depth--;
    return cat(...pieces);
  }

  #item(): Piece {
    const item = this.#choices.below(5) === 4 ? text('*') : this.#expression();
    return this.#choices.below(5) === 4 ? cat(item, this.#gap(), text('AS x')) : item;
  }

  #from(): Piece {
    const pieces = [text('FROM'), this.#gap(), this.#source()];
    while (pieces.length < 12 && this.#choices.below(3) === 2) {
      if (this.#choices.below(2)) pieces.push(text(', '), this.#source());
      else {
        const join = this.#choices.of(['JOIN', 'LEFT JOIN', 'inner join', 'CROSS JOIN']);
        pieces.push(this.#gap(), text(join), this.#gap(), this.#source());
        pieces.push(text(' ON '), this.#column(), text(' = '), this.#column());
      }
    }
    return cat(...pieces);
  }

  #source(): Piece {
    if (this.#depth < 3 && this.#choices.below(6) === 5)
      return cat(text('('), this.#select(), text(')'), this.#gap(), text('AS q'));
    const table = this.#table();
    return this.#choices.below(3) === 2 ? cat(table, this.#gap(), text('r')) : table;
  }

  #insert(): Piece {
    const pieces = [
      this.#operation('INSERT'),
      this.#gap(),
      text('INTO'),
      this.#gap(),
      this.#table(),
    ];
    pieces.push(
      text(' ('),
      this.#list(3, () => text(this.#choices.of(PLAIN))),
      text(') '),
    );
    if (this.#choices.below(4) === 3) pieces.push(this.#select());
    else {
      const row = (): Piece =>
        cat(
          text('('),
          this.#list(3, () => this.#expression()),
          text(')'),
        );
      pieces.push(text('VALUES'), this.#gap(), this.#list(3, row));
    }
    return cat(...pieces);
  }

  #update(): Piece {
    const set = (): Piece => cat(this.#column(), text(' = '), this.#expression());
    const pieces = [
      this.#operation('UPDATE'),
      this.#gap(),
      this.#table(),
      this.#gap(),
      text('SET '),
    ];
    pieces.push(this.#list(3, set));
    if (this.#choices.below(4) !== 3) pieces.push(this.#gap(), text('WHERE '), this.#expression());
    return cat(...pieces);
  }

  #delete(): Piece {
    const pieces = [
      this.#operation('DELETE'),
      this.#gap(),
      text('FROM'),
      this.#gap(),
      this.#table(),
    ];
    if (this.#choices.below(4) !== 3) pieces.push(this.#gap(), text('WHERE '), this.#expression());
    return cat(...pieces);
  }

  #with(): Piece {
    const writes = this.#profile.cteWrites && this.#choices.below(3) === 2;
    const body = writes ? cat(this.#delete(), text(' RETURNING a')) : this.#select();
    const mains = [
      () => cat(this.#operation('SELECT'), text(' * FROM Cte_1, '), this.#table()),
      () => this.#select(),
      () => this.#update(),
    ];
    const main = this.#choices.of(mains)();
    return cat(text('WITH'), this.#gap(), text('cte_1 AS ('), body, text(')'), this.#gap(), main);
  }

  #createTable(): Piece {
    const column = (): Piece =>
      cat(
        text(`${this.#choices.of(PLAIN)} varchar(`),
        this.#number(false),
        text(') DEFAULT '),
        this.#literal(),
      );
    return cat(
      this.#operation('CREATE'),
      text(' '),
      this.#operation('TABLE'),
      this.#gap(),
      this.#table(),
      text(' ('),
      this.#list(3, column),
      text(')'),
    );
  }

  #transaction(): Piece {
    return this.#operation(this.#choices.of(['COMMIT', 'BEGIN', 'ROLLBACK']));
  }

  #call(): Piece {
    const pieces = [this.#operation('CALL'), this.#gap(), this.#table(), text('(')];
    return cat(
      ...pieces,
      this.#list(3, () => this.#expression()),
      text(')'),
    );
  }

  #expression(): Piece {
    this.#depth++;
    const simple = [
      () => this.#literal(),
      () => this.#column(),
      () => text(this.#choices.of(this.#profile.params)),
    ];
    const nested = [
      ...simple,
      () => this.#binary(),
      () =>
        cat(
          text('coalesce('),
          this.#list(3, () => this.#expression()),
          text(')'),
        ),
      () => cat(text('('), this.#expression(), text(')')),
      () => cat(this.#column(), text(' IN ('), this.#in(), text(')')),
      () => cat(this.#column(), text(' BETWEEN '), this.#literal(), text(' AND '), this.#literal()),
      () => this.#case(),
      () => cat(text('EXISTS ('), this.#select(), text(')')),
      () => cat(text('('), this.#select(), text(')')),
      () => cat(text('CAST('), this.#expression(), text(' AS int)')),
      () => cat(this.#column(), text(' IS NOT NULL')),
    ];
    const piece = this.#choices.of(this.#depth < 4 ? nested : simple)();
    this.#depth--;
    return piece;
  }

  #binary(): Piece {
    const operator = this.#choices.of([
      '=',
      '+',
      '-',
      '*',
      '<>',
      '>=',
      '||',
      'AND',
      'OR',
      'LIKE',
      '/',
      '<',
      '%',
    ]);
    return cat(this.#expression(), this.#gap(), text(operator), text(' '), this.#expression());
  }

  #case(): Piece {
    const pieces = [text('CASE WHEN '), this.#expression(), text(' THEN '), this.#expression()];
    return cat(...pieces, this.#gap(), text('ELSE '), this.#expression(), text(' END'));
  }

  /** The inside of `IN (...)`: literals alone are shown as one. */
  #in(): Piece {
    const literals = this.#list(4, () => this.#literal());
    if (this.#choices.below(4) !== 3) return { ...literals, shown: '?' };
    return cat(literals, text(', '), this.#column());
  }

  #column(): Piece {
    return text(this.#choices.of(this.#profile.columns));
  }

  #table(): Piece {
    const name = this.#choices.of(this.#profile.tables);
    return { sql: name, shown: name, parts: [name] };
  }

  #literal(): Piece {
    const kind = this.#choices.below(8);
    if (kind < 4) {
      const encode = this.#choices.of(this.#profile.strings);
      return { sql: encode(this.#content()), shown: '?', parts: [] };
    }
    if (kind === 7 && this.#profile.booleans)
      return { sql: this.#choices.of(['TRUE', 'false']), shown: '?', parts: [] };
    return this.#number();
  }

  #number(signed = true): Piece {
    const sign = signed ? this.#choices.of(this.#signs) : '';
    const digits = this.#choices.of(signed ? this.#profile.numbers : ['7351']);
    return { sql: sign + digits, shown: '?', parts: [] };
  }

  #content(): string {
    let content = SECRETS[0]!;
    for (let count = this.#choices.below(4); count > 0; count--)
      content += this.#choices.of(FRAGMENTS) + SECRETS[0]!;
    return content;
  }

  /** White space, at times with a comment in it. */
  #gap(): Piece {
    const kind = this.#choices.below(12);
    if (kind < 8) return text(' ');
    if (kind === 8) return text('\n  ');
    if (kind === 9) return text('\t');
    const comment = this.#choices.of(this.#profile.comments)(this.#content());
    const before = /^\s+/.exec(comment)?.[0] ?? '';
    const behind = kind === 10 ? ' ' : '';
    // The line's end belongs to the comment in what is sent, and stays in what is shown.
    const rest = comment.endsWith('\n') ? '\n' : '';
    return { sql: comment + behind, shown: before + COMMENT + rest + behind, parts: [] };
  }

  #operation(verb: string): Piece {
    const written = this.#choices.below(4) === 3 ? verb.toLowerCase() : verb;
    return { sql: written, shown: written, parts: [written] };
  }

  #list(most: number, make: () => Piece): Piece {
    const pieces = [make()];
    while (pieces.length < most && this.#choices.below(3) === 2) pieces.push(make());
    return cat(...separated(pieces, ', '));
  }
}
