import { ClewError, urlError } from './errors.ts';
import { plainText } from './plain-text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads single settings from the environment and gathers what was wrong with them.
 *
 * A bad value never stops anything: it becomes one of `problems` and the fallback is used. An
 * empty variable counts as unset, as OpenTelemetry has it.
 */
export class SettingsReader {
  readonly problems: ClewError[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  text(variable: string): string | undefined {
    return this.#env[variable]?.trim() || undefined;
  }

  /** One of `values`. Where these include `on` and `off`, the other spellings of both are accepted. */
  choice<Value extends string>(variable: string, values: readonly Value[], fallback: Value): Value {
    const value = this.text(variable)?.toLowerCase();
    if (value === undefined) return fallback;
    const known: readonly string[] = values;
    if (known.includes(value)) return value as Value;
    const isOn = readSwitch(value);
    const spelt = isOn === undefined ? undefined : isOn ? 'on' : 'off';
    if (spelt !== undefined && known.includes(spelt)) return spelt as Value;
    this.refuse(variable, `one of ${values.join(', ')}`, value);
    return fallback;
  }

  /** `on` or `off`, in any of their spellings. */
  toggle(variable: string, fallback: boolean): boolean {
    return this.choice(variable, ['on', 'off'], fallback ? 'on' : 'off') === 'on';
  }

  /** A comma-separated list of known words. */
  words(variable: string, known: readonly string[]): string[] | undefined {
    const words = this.text(variable)
      ?.split(',')
      .map((word) => word.trim().toLowerCase());
    const unknown = words?.filter((word) => !known.includes(word)) ?? [];
    if (unknown.length > 0) {
      const expected = `a list of ${known.join(', ')}`;
      this.refuse(variable, expected, unknown.join(','), 'that part is ignored');
    }
    return words?.filter((word) => known.includes(word));
  }

  /**
   * A comma-separated list of names, or `none`. A name that is not known is kept, and reported with the
   * nearest one.
   */
  knownNames(variable: string, known: readonly string[]): Set<string> | undefined {
    const value = this.text(variable);
    if (value === undefined) return undefined;
    const names = value.split(',').map((name) => name.trim());
    for (const name of names) {
      if (name === '' || name === 'none' || known.includes(name)) continue;
      const near = nearest(name, known);
      const hint = near === undefined ? '' : ` Did you mean \`${near}\`?`;
      const message = `\`${variable}\` names \`${shown(name)}\`, which is not the name of an instrumentation.${hint}`;
      this.problems.push(new ClewError('ERR_OPTION', message));
    }
    return new Set(names);
  }

  /** `key=value,key=value` with percent-encoded values. */
  pairs(variable: string): Record<string, string> {
    const pairs: Record<string, string> = {};
    const bad: number[] = [];
    for (const [index, pair] of (this.text(variable)?.split(',') ?? []).entries()) {
      const [key, value, ...rest] = pair.split('=').map((part) => part.trim());
      try {
        if (!key || value === undefined || rest.length > 0) throw new Error('not key=value');
        pairs[key] = decodeURIComponent(value);
      } catch {
        bad.push(index + 1);
      }
    }
    if (bad.length > 0) {
      // The value may be a secret: only the place is named.
      const message = `Expected \`${variable}\` to be a list of key=value. Of its parts, number ${bad.join(', ')} is not, and is ignored.`;
      this.problems.push(new ClewError('ERR_OPTION', message));
    }
    return pairs;
  }

  /** An http or https URL; `name` is the option or variable it came from. */
  url(name: string, value: string | undefined): URL | undefined {
    if (value === undefined) return undefined;
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url && ['http:', 'https:'].includes(url.protocol)) return url;
    this.problems.push(urlError(name, value));
    return undefined;
  }

  wholeNumber(variable: string, least = 0): number | undefined {
    const text = this.text(variable);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isInteger(value) && value >= least) return value;
    this.refuse(variable, `a whole number of at least ${least}`, text);
    return undefined;
  }

  /** A number from 0 to 1. */
  ratio(variable: string, fallback: number): number {
    const text = this.text(variable);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (value >= 0 && value <= 1) return value;
    this.refuse(variable, 'a number from 0 to 1', text);
    return fallback;
  }

  /** Reports a value that cannot be used, and what happens instead. */
  refuse(variable: string, expected: string, value: string, then = 'the default is used'): void {
    const message = `Expected \`${variable}\` to be ${expected}, got \`${shown(value)}\`; ${then}.`;
    this.problems.push(new ClewError('ERR_OPTION', message));
  }
}

/** Whether a text switches something on or off; undefined where it is no spelling of either. */
export function readSwitch(text: string): boolean | undefined {
  if (/^(?:on|true|yes|1)$/i.test(text)) return true;
  return /^(?:off|false|no|0)$/i.test(text) ? false : undefined;
}

function shown(value: string): string {
  return plainText(value.replace(/\s+/g, ' '), 80);
}

/** The known word that needs the fewest changes, two at most. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const distances = known.map((each) => [distance(lower, each.toLowerCase()), each] as const);
  const [best] = distances.toSorted(([a], [b]) => a - b);
  return best !== undefined && best[0] <= 2 ? best[1] : undefined;
}

/** How many letters must be added, taken or changed to turn one word into the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
