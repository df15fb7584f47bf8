import { patchListeners } from '../../listeners.ts';
import { claim, patchMethod, undoAll, type Undo } from '../../patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../root.ts';
import { patchPool } from './pool-source.ts';
import type { ClassOf, MongoClient } from './shapes.ts';

/** What the monitoring of commands and of the pool emits in the turn of the operation it is about. */
const EVENTS_OF_CALLERS: ReadonlySet<string | symbol> = new Set([
  'commandStarted',
  'commandSucceeded',
  'commandFailed',
  'connectionCheckOutStarted',
  'connectionCheckOutFailed',
  'connectionCheckedOut',
  'connectionCheckedIn',
]);

/** Patches the class of clients: monitors and their timers outlive whoever connects. */
export function patchClient(
  { prototype }: ClassOf<MongoClient>,
  recorder: Recorder,
): Undo | undefined {
  const release = claim(prototype, 'mongodb client');
  if (!release) return undefined;
  const undos: (Undo | undefined)[] = [
    release,
    patchListeners(prototype, undefined, EVENTS_OF_CALLERS),
    patchMethod(prototype, 'connect', (original) => {
      return function connect(...args) {
        return runInRoot(original, this, ...args).then((result) => {
          undos.push(...patchPoolsOf(this, recorder));
          return result;
        });
      };
    }),
  ];
  return undoAll(undos);
}

/**
 * In a bundle the classes of pools and connections are in nobody's exports: the first client that is
 * connected shows them. Elsewhere they are patched already.
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
