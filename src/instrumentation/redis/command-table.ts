import { commandPackage, type CommandEntry } from './command-package.ts';

/*
 * What is known of Redis's commands: which of their arguments are keys, and which commands have
 * subcommands. The table is generated from the server's own COMMAND output by `@ioredis/commands`.
 *
 * `known` is filled as commands are first seen and is bounded by the table: a name that is not in
 * it, which may be anything, is never remembered.
 */

/** Where the keys of a command are: the first, the last (from the end if negative), the step. */
export interface KeyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** A command, or a subcommand of one. */
export interface KnownCommand {
  /** The table's name of the command, without that of the subcommand. */
  readonly name: string;
  readonly keys: KeyRange | undefined;
  /** Its keys are where other arguments say. */
  readonly isMovable: boolean;
  readonly subcommands: ReadonlyMap<string, KnownCommand> | undefined;
}

const known = new Map<string, KnownCommand>();

/** What is known of the command `name`, in any case; `undefined` for commands of modules. */
export function commandNamed(name: string): KnownCommand | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  const key = name.toLowerCase();
  const { table } = commandPackage();
  const entry = Object.hasOwn(table, key) ? table[key] : undefined;
  if (entry === undefined) return undefined;
  const command = known.get(key) ?? describe(key, entry);
  known.set(key, command);
  // Clients send names in upper or in lower case; any other spelling is looked up each time.
  if (name === key.toUpperCase()) known.set(name, command);
  return command;
}

/** The positions of the keys among `args`, which come after the command's name. */
export function movableKeys(command: KnownCommand, args: readonly unknown[]): number[] {
  // A client that was given something else is about to refuse it.
  if (!args.every((arg) => typeof arg === 'string' || Buffer.isBuffer(arg))) return [];
  // How many keys there are is one of the first two arguments, and may be any number.
  const bounded = args.map((arg, index) =>
    index < 2 && Number(arg) > args.length ? String(args.length) : arg,
  );
  const positions = commandPackage().getKeyIndexes(command.name, bounded);
  return positions.filter((position) => position < args.length);
}

function describe(name: string, entry: CommandEntry): KnownCommand {
  const { keyStart, keyStop, step, flags, subcommands } = entry;
  return {
    name,
    keys: step > 0 ? { first: keyStart, last: keyStop, step } : undefined,
    isMovable: flags.includes('movablekeys'),
    subcommands:
      subcommands &&
      new Map(Object.entries(subcommands).map(([key, each]) => [key, describe(name, each)])),
  };
}
