import type * as Crypto from 'node:crypto';

/**
 * `node:crypto`, which takes milliseconds and megabytes to load: a program that neither signs nor
 * hashes need not have it.
 */
export function loadCrypto(): typeof Crypto {
  return process.getBuiltinModule('node:crypto');
}

/** A UUID of version 4 that is to be unique, and not to be kept from anybody. */
export function uniqueId(): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(Math.random() * 16).toString(16));
  digits[12] = '4';
  digits[16] = (8 + Math.floor(Math.random() * 4)).toString(16);
  return digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
