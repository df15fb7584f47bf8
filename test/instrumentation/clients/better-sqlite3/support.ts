import { createRequire } from 'node:module';

import semver from 'semver';

import { requireNative } from '../../../support/native-modules.ts';
import type { Module } from './forms.ts';

/** The newest version for this Node: version 13 ends a Node older than 22. */
export function requireBetterSqlite3(suite: Mocha.Context): NodeJS.Require {
  if (semver.gte(process.version, '22.0.0')) return createRequire(import.meta.url);
  return requireNative(suite, { name: 'better-sqlite3', version: '12.0.0' });
}

export const loadFrom = (require: NodeJS.Require): Module => require('better-sqlite3') as Module;
