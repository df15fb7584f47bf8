import { BlockList, isIP } from 'node:net';

import { optionError } from '../../../base/errors.ts';

/*
 * Whose `Forwarded` and `X-Forwarded-*` headers are believed. Anybody can send them: only a proxy
 * that is known to overwrite or extend them can be trusted to say who the client is.
 */

const RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** What a trusted proxy says of the request that it passes on. */
export interface Forwarded {
  /** The address of the client. */
  readonly client: string | undefined;
  /** `http` or `https`, as the client sent it. */
  readonly scheme: string | undefined;
  /** The host that the client asked for, with its port where it gave one. */
  readonly host: string | undefined;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The proxies that are trusted: addresses, ranges (`10.0.0.0/8`), and the words of the table above. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** Throws an `ERR_OPTION` for what is no address, no range and no word. */
  constructor(proxies: readonly string[]) {
    for (const proxy of proxies.flatMap(rangesOf)) {
      const [address = '', prefix, ...rest] = proxy.split('/');
      const family = isIP(address);
      const bits = prefix === undefined ? undefined : Number(prefix);
      const isRange = bits === undefined || (/^\d+$/.test(prefix ?? '') && bits <= maxBits(family));
      if (family === 0 || !isRange || rest.length > 0) {
        throw optionError(
          'trustedProxies',
          `a list of addresses, ranges and ${Object.keys(RANGES).join(', ')}`,
          proxy,
        );
      }
      if (bits === undefined) this.#list.addAddress(address, typeOf(family));
      else this.#list.addSubnet(address, bits, typeOf(family));
    }
  }

  /** What `headers` say, where they came from `peer` and that is trusted. */
  read(peer: string | undefined, headers: Headers): Forwarded | undefined {
    if (peer === undefined || !this.#trusts(peer)) return undefined;
    const forwarded = headers['forwarded'];
    if (typeof forwarded === 'string') return this.#readForwarded(forwarded);
    const addresses = listOf(headers['x-forwarded-for']);
    return {
      client: this.#client(addresses.map(withoutPort)),
      scheme: schemeOf(listOf(headers['x-forwarded-proto']).at(-1)),
      host: listOf(headers['x-forwarded-host']).at(-1),
    };
  }

  /** RFC 7239: `for=192.0.2.60;proto=https, for="[2001:db8::1]:4711"`. The last proxy appends. */
  #readForwarded(text: string): Forwarded {
    const elements = text.split(',').map((element) => parametersOf(element));
    const { proto, host } = elements.at(-1) ?? {};
    const addresses = elements.map((element) => withoutPort(element['for'] ?? ''));
    return { client: this.#client(addresses), scheme: schemeOf(proto), host };
  }

  /** The last address that is not one of the proxies: what stands before it anybody may have sent. */
  #client(addresses: readonly string[]): string | undefined {
    for (const address of addresses.toReversed()) {
      if (isIP(address) === 0) return undefined;
      if (!this.#trusts(address)) return address;
    }
    return addresses[0];
  }

  #trusts(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, typeOf(family));
  }
}

function rangesOf(proxy: string): readonly string[] {
  const word = proxy.toLowerCase();
  return (Object.hasOwn(RANGES, word) && RANGES[word]) || [proxy];
}

const typeOf = (family: number): 'ipv4' | 'ipv6' => (family === 6 ? 'ipv6' : 'ipv4');
const maxBits = (family: number): number => (family === 6 ? 128 : 32);

function listOf(value: string | readonly string[] | undefined): string[] {
  const text = typeof value === 'string' ? value : value?.join(',');
  return text === undefined
    ? []
    : text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
}

function schemeOf(value: string | undefined): string | undefined {
  const scheme = value?.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

/** `192.0.2.1:80`, `[::1]:80` and `"[::1]"` without what is not the address. */
function withoutPort(address: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(address);
  if (bracketed) return bracketed[1] ?? '';
  return /^[\d.]+:\d+$/.test(address) ? address.slice(0, address.indexOf(':')) : address;
}

/** A name begins where none goes on: else a long one without a value takes quadratic time. */
const PARAMETER = /(?<![\w-])([\w-]+)=(?:"([^"]*)"|([^\s;"]*))/g;

function parametersOf(element: string): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = {};
  for (const [, key = '', quoted, plain] of element.matchAll(PARAMETER)) {
    found[key.toLowerCase()] = quoted ?? plain;
  }
  return found;
}
