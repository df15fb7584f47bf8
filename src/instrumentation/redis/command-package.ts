import { getKeyIndexes } from '@ioredis/commands';
import table from '@ioredis/commands/built/commands.json' with { type: 'json' };

/* What is used of `@ioredis/commands`. In the published files it is evaluated by the first call: see
 * `test/support/redis-commands.ts`. */

/** Of a command, or of a subcommand: where its keys are among its arguments. */
export interface CommandEntry {
  keyStart: number;
  keyStop: number;
  step: number;
  flags: string[];
  subcommands?: Record<string, CommandEntry>;
}

export interface CommandPackage {
  readonly table: Readonly<Record<string, CommandEntry>>;
  readonly getKeyIndexes: typeof getKeyIndexes;
}

/** The package's table of commands, by their names in lower case, and its finder of movable keys. */
export function commandPackage(): CommandPackage {
  return { table, getKeyIndexes };
}
