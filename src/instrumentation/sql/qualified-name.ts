import type { TokenKind } from './dialects.ts';

/** The name that is being read: `t`, or `schema.t` over several tokens. */
export class QualifiedName {
  #text = '';
  #endsInDot = false;

  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** Whether the rest of a name has to follow. */
  get endsInDot(): boolean {
    return this.#endsInDot;
  }

  start(value: string): void {
    this.#text = value;
    this.#endsInDot = false;
  }

  /** Takes a token that belongs to the name; false where the name has ended before it. */
  take(kind: TokenKind, value: string): boolean {
    const isPart = kind === 'word' || kind === 'name' || kind === 'either';
    if (value !== '.' && !(this.#endsInDot && isPart)) return false;
    this.#text += value;
    this.#endsInDot = value === '.';
    return true;
  }

  /** The whole name; there is none afterwards. */
  end(): string {
    const name = this.#endsInDot ? this.#text.slice(0, -1) : this.#text;
    this.start('');
    return name;
  }
}
