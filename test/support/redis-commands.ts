import { readFileSync } from 'node:fs';

import type { Plugin } from 'esbuild';

import type { CommandEntry } from '../../src/instrumentation/redis/command-package.ts';

/*
 * The table of Redis's commands in the published files: evaluated when the first command is seen, which
 * in most programs is never, and without what is not used of it. It is in the file and not beside it, so
 * that an application's bundler takes it along.
 */
const LAZY = `
  let loaded;
  export function commandPackage() {
    return (loaded ??= {
      table: require('@ioredis/commands/built/commands.json'),
      getKeyIndexes: require('@ioredis/commands').getKeyIndexes,
    });
  }`;

/** All of it stands for the first line of the published source. */
const MAP = {
  version: 3,
  sources: ['../../../../src/instrumentation/redis/command-package.ts'],
  names: [],
  mappings: ';AAAA'.repeat(LAZY.split('\n').length),
};
const MAPPED = `${LAZY}\n//# sourceMappingURL=data:application/json,${encodeURIComponent(JSON.stringify(MAP))}\n`;

export const redisCommands: Plugin = {
  name: 'commands of Redis',
  setup: (bundle) => {
    bundle.onLoad({ filter: /[\\/]redis[\\/]command-package\.js$/ }, () => ({ contents: MAPPED }));
    bundle.onLoad({ filter: /@ioredis[\\/]commands[\\/]built[\\/]commands\.json$/ }, ({ path }) => {
      const table = JSON.parse(readFileSync(path, 'utf8')) as Record<string, CommandEntry>;
      const text = JSON.stringify(JSON.stringify(smaller(table)));
      return { contents: `module.exports = JSON.parse(${text});`, loader: 'js' };
    });
  },
};

function smaller(table: Record<string, CommandEntry>): Record<string, CommandEntry> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { keyStart, keyStop, step, flags, subcommands }]) => [
      name,
      {
        keyStart,
        keyStop,
        step,
        flags: flags.filter((flag) => flag === 'movablekeys'),
        ...(subcommands && { subcommands: smaller(subcommands) }),
      },
    ]),
  );
}
