import { CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import { patchListeners } from '../../listeners.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { isContextActive } from '../../wrap/active-context.ts';
import { patchPool } from './pool-source.ts';
import type { ClassOf, MongoClient } from './library-types.ts';

/** Events of command and pool monitoring that are emitted in the turn of their operation. */
const EVENTS_OF_CALLERS: ReadonlySet<string | symbol> = new Set([
  'commandStarted',
  'commandSucceeded',
  'commandFailed',
  'connectionCheckOutStarted',
  'connectionCheckOutFailed',
  'connectionCheckedOut',
  'connectionCheckedIn',
]);

/** The callers that connect and close a client, to whom events meanwhile belong. */
const opening = new CallsUnderWay();
const closing = new CallsUnderWay();

const callerOf: CallerOf = (client, event) => {
  if (EVENTS_OF_CALLERS.has(event) && isContextActive()) return undefined;
  return opening.of(client) ?? closing.of(client);
};

/** Patches the class of clients: monitors and their timers outlive the call that connects. */
export function patchClient(
  { prototype }: ClassOf<MongoClient>,
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'mongodb client');
  if (!release) return undefined;
  const undos: (Undo | undefined)[] = [
    release,
    patchListeners(prototype, { ofCallers: EVENTS_OF_CALLERS, callerOf }),
    patchMethod(prototype, 'connect', (original) => {
      return function connect(...args) {
        // A client that is already connected, or connecting, calls it again.
        if (!opening.of(this)) opening.begin(this);
        const connected = runInRoot(original, this, ...args);
        return opening.endWith(this, connected).then((result) => {
          undos.push(...patchPoolsOf(this, recorder));
          return result;
        });
      };
    }),
    patchMethod(prototype, 'close', (original) => {
      return function close(...args) {
        closing.begin(this);
        return original.apply(this, args);
      };
    }),
  ];
  return undoAll(undos);
}

/**
 * In a bundle, the classes of pools and connections are not exported: the first connected client
 * reveals them. Otherwise they are already patched.
 */
function patchPoolsOf({ topology }: MongoClient, recorder: Recorder): Undo[] {
  const undos: Undo[] = [];
  for (const { pool, s } of topology?.s?.servers?.values() ?? []) {
    const found = pool ?? s?.pool;
    if (!found) continue;
    const undo = patchPool({ prototype: Object.getPrototypeOf(found) as typeof found }, recorder);
    if (undo) undos.push(undo);
  }
  return undos;
}
