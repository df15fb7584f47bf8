import { AsyncResource } from 'node:async_hooks';

import { createContextKey, ROOT_CONTEXT, type ContextManager } from '@opentelemetry/api';

import type { Source, Sources } from './case.ts';
import { files, streams } from './files-and-streams.ts';
import { events, promises, timers } from './language.ts';
import { sockets, web } from './network.ts';
import { computing, processes } from './system.ts';

export const GROUPS: Readonly<Record<string, Sources>> = {
  'promises and the language': promises,
  'timers and ticks': timers,
  'events and async resources': events,
  files,
  streams,
  'thread pool, add-ons and databases': computing,
  'processes, threads and signals': processes,
  sockets,
  'http, http2, fetch, WebSocket': web,
};

/** How often a probe found its own context, none, and another one's. */
export interface Result {
  kept: number;
  lost: string[];
  bled: string[];
}

const KEY = createContextKey('name');
const TIMEOUT = 5000;

/** Runs a source twice at once, under two contexts, and says what its probes found. */
export async function survive(manager: ContextManager, source: Source): Promise<Result> {
  const result: Result = { kept: 0, lost: [], bled: [] };
  const once = (name: string): Promise<unknown> => {
    const context = ROOT_CONTEXT.setValue(KEY, name);
    const probe = (where: string): void => {
      const seen = manager.active();
      if (seen === context) result.kept += 1;
      else if (seen === ROOT_CONTEXT) result.lost.push(where);
      else result.bled.push(where);
    };
    // An async resource of its own, so that what a source enters does not outlive it.
    return new AsyncResource('PROBE').runInAsyncScope(() =>
      manager.with(context, async () => source(probe)),
    );
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the source did not end')), TIMEOUT);
  });
  await Promise.race([Promise.all([once('A'), once('B')]), late]);
  clearTimeout(timer);
  return result;
}

/** Every source of this Node, by `group: name`. */
export async function surviveAll(manager: ContextManager): Promise<Record<string, Result>> {
  const results: Record<string, Result> = {};
  for (const [group, sources] of Object.entries(GROUPS)) {
    for (const [name, source] of Object.entries(sources)) {
      if (source === undefined) continue;
      try {
        results[`${group}: ${name}`] = await survive(manager, source);
      } catch (error) {
        throw new Error(`${group}: ${name}`, { cause: error });
      }
    }
  }
  return results;
}
