import { types } from 'node:util';

import { plainText } from './plain-text.ts';

/** The codes of the errors that this package throws. Codes are stable; messages may change. */
export type ErrorCode =
  'ERR_OPTION' | 'ERR_PEER_MISSING' | 'ERR_PORT_IN_USE' | 'ERR_NODE_TOO_OLD' | 'ERR_RULE';

const BRAND = Symbol.for('clew.error');

/**
 * The error class of this package. `instanceof` also works across two copies of the package,
 * because it tests a brand in the global symbol registry instead of the identity of the class.
 */
export class ClewError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClewError';
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** Shows a rejected value in a message: quoted, with its type, never longer than a line. */
export function describeValue(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'string' ? value : String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return `\`${plainText(text.replace(/\s+/g, ' '), 80)}\` (${value === null ? 'null' : typeof value})`;
}

/** An `ERR_OPTION`: what was expected of which option, and the value that came instead. */
export function optionError(option: string, expected: string, value: unknown): ClewError {
  return new ClewError(
    'ERR_OPTION',
    `Expected \`${option}\` to be ${expected}, got ${describeValue(value)}.`,
  );
}

/**
 * An `ERR_OPTION` for a URL, of which only the scheme is shown: any other part may be a secret. A host
 * with its port is none.
 */
export function urlError(option: string, value: string): ClewError {
  const scheme = /^[a-z][a-z0-9+.-]{0,15}:(?=\/\/)/i.exec(value)?.[0];
  const host = /^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+):\d{1,5}$/i.exec(value)?.[0];
  const start =
    scheme === undefined ? 'one without `http://`' : `one that begins with \`${scheme}//\``;
  const found = host === undefined ? start : `\`${host}\`, without \`http://\``;
  return new ClewError(
    'ERR_OPTION',
    `Expected \`${option}\` to be a URL such as \`http://127.0.0.1:4318\`, got ${found}${URL.canParse(value) ? '' : ', which cannot be read'}.`,
  );
}

/** The message of anything that was thrown, without its stack. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  // One of another realm, as those of a `vm` are in jest.
  if (types.isNativeError(error)) return error.message || error.name;
  return describeValue(error);
}
