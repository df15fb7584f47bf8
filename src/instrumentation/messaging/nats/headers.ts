import type { Headers, PublishOptions } from './library-types.ts';

const FIRST_LINE = 'NATS/1.0\r\n';
const END = '\r\n\r\n';

/**
 * Headers that are encoded as `headers` are, with the fields of `carrier` among them in the place of any
 * of their names. The client asks for nothing but the encoding, so those of the caller stay as they are.
 */
export function withCarrier(
  headers: PublishOptions['headers'],
  carrier: Readonly<Record<string, string>>,
): Pick<Headers, 'encode'> {
  return {
    encode() {
      const own = headers ? Buffer.from(headers.encode()).toString('utf8') : '';
      const [first = '', ...lines] = own.replace(/(?:\r\n)+$/, '').split('\r\n');
      const kept = lines.filter((line) => !(nameOf(line) in carrier));
      const added = Object.entries(carrier).map(([name, value]) => `${name}: ${value}`);
      const head = first === '' ? FIRST_LINE.trimEnd() : first;
      return new TextEncoder().encode([head, ...kept, ...added].join('\r\n') + END);
    },
  };
}

const nameOf = (line: string): string => line.slice(0, line.indexOf(':')).toLowerCase();
