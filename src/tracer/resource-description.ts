import { UNNAMED } from '../async/collecting.ts';
import { asyncWrapProviders } from './providers.ts';

/*
 * Describes an async resource by its own data. Hooks run inside code of others, so nothing here
 * calls a getter or method of theirs: only own data properties and Node's handles are read.
 */

const MAX_LENGTH = 200;
/** Node's types that are not in `asyncWrapProviders`. */
const OTHER_NODE_TYPES = new Set(['Timeout', 'Immediate', 'TickObject', 'Microtask', 'PROMISE']);
/** Node's handles whose purpose is only set after their `init`. */
const LATE_TYPES = new Set([
  'TCPSERVERWRAP',
  'TCPWRAP',
  'PIPESERVERWRAP',
  'PIPEWRAP',
  'UDPWRAP',
  'PROCESSWRAP',
  'WORKER',
]);

/** Whether `type` is one of Node's own, and not the type of a library's `AsyncResource`. */
export function isNodeType(type: string): boolean {
  return type in asyncWrapProviders || OTHER_NODE_TYPES.has(type);
}

/** Whether `describe` has to be called again later, because `init` is too early. */
export function isDescribedLate(type: string): boolean {
  return LATE_TYPES.has(type) || !isNodeType(type);
}

/** Returns the description of an async resource, or undefined if its type has none. */
export function describe(type: string, resource: object): string | undefined {
  try {
    const text = describeUnguarded(type, resource);
    if (text === undefined || text === '') return undefined;
    return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 3)}...` : text;
  } catch {
    // A frozen, revoked or half-built object has no description.
    return undefined;
  }
}

function describeUnguarded(type: string, resource: object): string | undefined {
  switch (type) {
    case 'GETADDRINFOREQWRAP':
    case 'QUERYWRAP':
      return textOf(resource, 'hostname');
    case 'GETNAMEINFOREQWRAP':
      return hostAndPort(textOf(resource, 'host'), textOf(resource, 'port'));
    case 'TCPCONNECTWRAP':
    case 'UDPSENDWRAP':
      return hostAndPort(textOf(resource, 'address'), textOf(resource, 'port'));
    case 'PIPECONNECTWRAP':
      return textOf(resource, 'address');
    case 'TCPSERVERWRAP':
    case 'UDPWRAP':
      return addressOf(resource, 'getsockname');
    case 'TCPWRAP':
      return addressOf(resource, 'getpeername');
    case 'PROCESSWRAP': {
      const pid = textOf(resource, 'pid');
      return pid && `pid ${pid}`;
    }
    case 'WORKER': {
      const id = textOf(resource, 'threadId');
      return id && `thread ${id}`;
    }
    case 'Timeout': {
      const delay = textOf(resource, '_idleTimeout');
      return delay && `${valueOf(resource, '_repeat') ? 'every ' : ''}${delay} ms`;
    }
    default:
      return isNodeType(type) ? undefined : textOf(resource, 'description');
  }
}

/** Returns the `node:http` request that one of Node's resources was created for. */
export function requestOf(type: string, resource: object): object | undefined {
  const request = type === 'HTTPCLIENTREQUEST' ? valueOf(resource, 'req') : undefined;
  return typeof request === 'object' && request !== null ? request : undefined;
}

/** When a timer is due, on the clock of `performance.now()`; undefined for anything else. */
export function dueAt(type: string, resource: object, now: number): number | undefined {
  if (type !== 'Timeout') return undefined;
  const delay = valueOf(resource, '_idleTimeout');
  return typeof delay === 'number' && delay >= 0 ? now + delay : undefined;
}

/**
 * Names a callback that belongs to no request, from the object it runs for; undefined if there is
 * no better name.
 */
export function describeHolder(resource: object): string | undefined {
  try {
    if (UNNAMED in resource || resource instanceof Promise) return undefined;
    const name = kindOf(resource);
    if (name === undefined) return undefined;
    const timer = Object.hasOwn(resource, '_onTimeout')
      ? valueOf(resource, '_onTimeout')
      : undefined;
    const fn = timer ?? valueOf(resource, '_onImmediate') ?? valueOf(resource, 'callback');
    const detail = [
      typeof fn === 'function' && fn.name && !/^(bound |_?on)/.test(fn.name) ? fn.name : '',
      timer === undefined ? '' : (describe('Timeout', resource) ?? ''),
    ].filter(Boolean);
    return detail.length > 0 ? `${name} (${detail.join(', ')})` : name;
  } catch {
    return 'callback';
  }
}

/** Describes an object that Node runs a callback for; undefined if its class is not known. */
function kindOf(resource: object): string | undefined {
  const name = classNameOf(resource);
  if (name !== 'Object' && name !== 'unknown') return name;
  return Object.hasOwn(resource, 'callback') ? 'process.nextTick' : undefined;
}

/** Returns the name of an object's class without running a getter. */
export function classNameOf(resource: object): string {
  const prototype: unknown = Object.getPrototypeOf(resource);
  const made = prototype && valueOf(prototype, 'constructor');
  const name = typeof made === 'function' ? valueOf(made, 'name') : undefined;
  return typeof name === 'string' && name !== '' ? name : 'unknown';
}

function valueOf(resource: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(resource, name)?.value;
}

function textOf(resource: object, name: string): string | undefined {
  const value = valueOf(resource, name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function hostAndPort(host: string | undefined, port: string | undefined): string | undefined {
  if (!host) return port && `:${port}`;
  return port ? `${host.includes(':') ? `[${host}]` : host}:${port}` : host;
}

/** Returns the address of one of Node's handles, from the method of its binding. */
function addressOf(handle: object, method: 'getsockname' | 'getpeername'): string | undefined {
  const read = (handle as Record<string, unknown>)[method];
  if (typeof read !== 'function') return undefined;
  const out: { address?: string; port?: number } = {};
  const status: unknown = read.call(handle, out);
  if (status !== 0 || out.port === undefined) return undefined;
  return hostAndPort(out.address, String(out.port));
}
