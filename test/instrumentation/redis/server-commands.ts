import type { RedisClientType } from 'redis';

/* Calls of every command that the server has, with a secret in the place of each argument. */

/** A call, and those of its arguments that are keys. */
export interface GeneratedCall {
  command: string[];
  keys: ReadonlySet<string>;
}

export async function generateCalls(client: RedisClientType): Promise<GeneratedCall[]> {
  const commands = (await client.sendCommand<ServerEntry[]>(['COMMAND'])).flatMap(fromServer);
  const calls = await Promise.all(commands.map((command) => callsOf(client, command)));
  return calls.flat();
}

async function callsOf(
  client: RedisClientType,
  { name, arity }: ServerCommand,
): Promise<GeneratedCall[]> {
  const least = Math.max(Math.abs(arity), name.length) - name.length;
  // One of the arguments may be the number of keys.
  const all = [0, 1, 2, 5].flatMap((more) => {
    const args = Array.from({ length: least + more }, (_, index) => `secret${index}`);
    return [args, ...[0, 1].slice(0, args.length).map((index) => args.with(index, '1'))];
  });
  const commands = all.map((args) => [...name, ...args]);
  // An argument is named after its position, and the server refuses some of the lengths.
  const found = await Promise.all(commands.map((command) => keysByServer(client, command)));
  // Shard channels have a slot as keys have, and are shown as such.
  const keys = new Set([...(SHARD_CHANNELS[name.join(' ')] ?? []), ...found.flat()]);
  return commands.map((command) => ({ command, keys }));
}

const ALL = Array.from({ length: 9 }, (_, index) => `secret${index}`);
const SHARD_CHANNELS: Readonly<Record<string, readonly string[]>> = {
  ssubscribe: ALL,
  sunsubscribe: ALL,
  spublish: ALL.slice(0, 1),
};

interface ServerCommand {
  /** With the name of the subcommand. */
  name: string[];
  arity: number;
}

type ServerEntry = [string, number, ...unknown[]];

/** A command of the server's own list, and its subcommands. */
function fromServer(entry: ServerEntry): ServerCommand[] {
  const [name, arity] = entry;
  const subcommands = (entry.at(-1) ?? []) as [string, number][];
  return [
    { name: [name], arity },
    ...(Array.isArray(subcommands) ? subcommands : []).map(([full, itsArity]) => ({
      name: full.split('|'),
      arity: itsArity,
    })),
  ];
}

/** The arguments that the server takes for keys; none where it finds the command wrong. */
async function keysByServer(client: RedisClientType, command: string[]): Promise<string[]> {
  try {
    return await client.sendCommand<string[]>(['COMMAND', 'GETKEYS', ...command]);
  } catch {
    return [];
  }
}
