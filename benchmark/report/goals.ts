import { addedOf, costsOf } from '../harness/results.ts';
import type { Results } from './figures.ts';
import { table } from './tables.ts';

/*
 * What the package wants to add to an application at most, and what it adds: less CPU than every other
 * tool and at most half of what dd-trace adds, a fifth of that for a request that is not sampled, and
 * little memory and time to start.
 */
const SERVICES = ['plain, 8 connections', 'express, 8 connections'];
const PEERS = ['dd-trace', 'official', 'Sentry'] as const;
const MOST_MEMORY = 15;
const MOST_START = 150;

/** What a start may add, by the cases of the group `start`. */
const STARTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'the smallest application': { wall: 100, memory: MOST_MEMORY },
  'the service, on express': { wall: MOST_START },
};

/** The goals as Markdown, those of cases that were measured; empty where none was. */
export function goalsTable(results: Results): string {
  const rows = [...SERVICES.flatMap((name) => ofService(results, name)), ...ofStart(results)].map(
    ([what, most, found]) => [
      what,
      signed(most),
      signed(found),
      found <= most ? 'met' : `missed by ${(found - most).toFixed(0)}`,
    ],
  );
  return rows.length === 0 ? '' : table([['asked for', 'at most', 'measured', ''], ...rows]);
}

type Goal = [what: string, most: number, found: number];

function ofService(results: Results, name: string): Goal[] {
  const added = (variant: string, metric: string): number | undefined =>
    addedBy(results, 'app', name, variant, metric);
  const own = added('clew', 'cpu');
  const peers = PEERS.map((peer) => added(peer, 'cpu'));
  const datadog = peers[0];
  const unsampled = added('clew, not sampled', 'cpu');
  const memory = added('clew', 'memory');
  if (own === undefined || datadog === undefined) return [];
  const least = Math.min(...peers.filter((peer) => peer !== undefined));
  const service = name.replace(/,.*/, '');
  const goals: Goal[] = [
    [`${service}: us CPU of a request, less than every peer`, least, own],
    [`${service}: us CPU of a request, half of what dd-trace adds`, datadog / 2, own],
  ];
  if (unsampled !== undefined) {
    goals.push([`${service}: us CPU if not sampled, a fifth of that`, datadog / 10, unsampled]);
  }
  if (memory !== undefined) goals.push([`${service}: MB`, MOST_MEMORY, memory]);
  return goals;
}

function ofStart(results: Results): Goal[] {
  return Object.entries(STARTS).flatMap(([name, limits]) =>
    Object.entries(limits).flatMap(([metric, most]): Goal[] => {
      const found = addedBy(results, 'start', name, 'clew', metric);
      const unit = metric === 'wall' ? 'ms' : 'MB';
      return found === undefined ? [] : [[`start of ${name}: ${unit}`, most, found]];
    }),
  );
}

/** What a variant adds to the bare one in the newest run that measured both. */
function addedBy(
  results: Results,
  group: string,
  name: string,
  variant: string,
  metric: string,
): number | undefined {
  for (const { records } of results.get(group)?.runs.toReversed() ?? []) {
    const base = costsOf(records, name, 'bare', metric);
    const costs = costsOf(records, name, variant, metric);
    if (base && costs) return addedOf(costs, base);
  }
  return undefined;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(0)}`;
}
