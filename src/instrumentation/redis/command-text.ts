import { commandNamed, movableKeys, type KnownCommand } from './command-table.ts';

/** No text is longer, whatever the configuration asks for: a pipeline may hold any number. */
const MAX_LENGTH = 4096;

/** The words of commands that read streams, which hold no value of the application's. */
const WORDS: Readonly<Record<string, ReadonlySet<unknown>>> = {
  xread: new Set(['COUNT', 'BLOCK', 'STREAMS']),
  xreadgroup: new Set(['GROUP', 'COUNT', 'BLOCK', 'CLAIM', 'NOACK', 'STREAMS']),
};

/**
 * `db.query.text` of a command: its name, the name of its subcommand, its keys and, where it reads
 * streams, its keywords as they are, and a `?` for every other argument. Of an unknown command
 * all arguments are `?`.
 */
export function commandText(
  name: string,
  args: readonly unknown[],
  maxLength: number = MAX_LENGTH,
): string {
  const command = commandNamed(name);
  if (command === undefined) return withPlaceholders(name, args, 0, maxLength);
  if (command.subcommands === undefined) return withKeys(name, command, args, 0, maxLength);
  const given = args[0];
  const subcommand =
    typeof given === 'string' ? command.subcommands.get(given.toLowerCase()) : undefined;
  return subcommand === undefined
    ? withPlaceholders(name, args, 0, maxLength)
    : withKeys(`${name} ${String(given)}`, subcommand, args, 1, maxLength);
}

/** The texts of several commands, as far as there is room. */
export function batchText<Command>(
  commands: Iterable<Command>,
  textOf: (command: Command, room: number) => string,
): string {
  let text = '';
  for (const command of commands) {
    if (text.length >= MAX_LENGTH) break;
    text += `${text === '' ? '' : '; '}${textOf(command, MAX_LENGTH - text.length)}`;
  }
  return text;
}

function withPlaceholders(
  start: string,
  args: readonly unknown[],
  from: number,
  maxLength: number,
): string {
  let text = start;
  for (let i = from; i < args.length && text.length < maxLength; i += 1) text += ' ?';
  return text;
}

function withKeys(
  start: string,
  command: KnownCommand,
  args: readonly unknown[],
  from: number,
  maxLength: number,
): string {
  if (command.isMovable) return withMovableKeys(start, command, args, from, maxLength);
  const { keys } = command;
  if (keys === undefined) return withPlaceholders(start, args, from, maxLength);
  // Positions in the table count the command's name.
  const first = keys.first - 1;
  const last = keys.last < 0 ? args.length + keys.last : keys.last - 1;
  let text = start;
  for (let i = from; i < args.length && text.length < maxLength; i += 1) {
    const isKey = i >= first && i <= last && (i - first) % keys.step === 0;
    text += isKey ? ` ${keyText(args[i])}` : ' ?';
  }
  return text;
}

function withMovableKeys(
  start: string,
  command: KnownCommand,
  args: readonly unknown[],
  from: number,
  maxLength: number,
): string {
  const keys = new Set(movableKeys(command, args));
  const words = WORDS[command.name];
  let text = start;
  for (let i = from; i < args.length && text.length < maxLength; i += 1) {
    const arg = args[i];
    const isWord = words !== undefined && typeof arg === 'string' && words.has(arg.toUpperCase());
    text += isWord || keys.has(i) ? ` ${keyText(arg)}` : ' ?';
  }
  return text;
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  return Buffer.isBuffer(key) || typeof key === 'number' ? key.toString() : '?';
}
