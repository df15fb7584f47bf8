import type { MessageExchange } from '../operation.ts';

/*
 * Commands that send and receive messages: of streams, and `PUBLISH` of channels. Redis is none of the
 * systems of OpenTelemetry's messaging conventions, which are still in development.
 */

type Reader = (args: readonly unknown[]) => MessageExchange;

const send: Reader = ([key]) => ({ type: 'send', name: 'send', destination: textOf(key) });
const claim: Reader = ([key, group]) => ({ ...receive([key]), consumerGroup: textOf(group) });

/** What each command does with messages, read from its arguments. */
const READERS: Readonly<Record<string, Reader>> = {
  xadd: send,
  publish: send,
  spublish: send,
  xread: (args) => receive(streamsIn(args)),
  xreadgroup: (args) => ({ ...receive(streamsIn(args)), consumerGroup: textOf(args[1]) }),
  xclaim: claim,
  xautoclaim: claim,
  xack: ([key, group, ...ids]) => ({
    type: 'settle',
    name: 'ack',
    destination: textOf(key),
    consumerGroup: textOf(group),
    count: ids.length,
  }),
};

/** By the names as clients write them. A look into it is all that other commands pay. */
const EXCHANGES: ReadonlyMap<string, Reader> = new Map(
  Object.entries(READERS).flatMap(([name, read]) => [
    [name, read],
    [name.toUpperCase(), read],
  ]),
);

/** Whether a command has to do with messages. */
export function isExchange(name: string): boolean {
  return EXCHANGES.has(name);
}

/** What a command does with messages; undefined where it has nothing to do with them. */
export function exchangeOf(name: string, args: readonly unknown[]): MessageExchange | undefined {
  return EXCHANGES.get(name)?.(args);
}

/** Whether a command waits for messages of streams, or asks for them. */
export function isReceiving(name: string): boolean {
  return /^x(?:read|readgroup|claim|autoclaim)$/i.test(name);
}

function receive(keys: readonly unknown[]): MessageExchange {
  const destination = keys.length === 1 ? textOf(keys[0]) : undefined;
  return { type: 'receive', name: 'receive', destination };
}

/** The keys of `STREAMS key... id...`. */
function streamsIn(args: readonly unknown[]): readonly unknown[] {
  const at = args.findIndex((arg) => textOf(arg)?.toLowerCase() === 'streams');
  const rest = at < 0 ? [] : args.slice(at + 1);
  return rest.slice(0, rest.length / 2);
}

/** The longest name that is shown, in characters. */
const MAX_TEXT = 500;

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT);
  return Buffer.isBuffer(value) ? value.toString('utf8', 0, MAX_TEXT) : undefined;
}
