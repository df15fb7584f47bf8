/** Why a source loses its context under every manager, or mixes it up with another one's. */
export const LOSSES: Readonly<Record<string, string>> = {
  'promises and the language: Array.fromAsync':
    'V8 calls the map function from a promise job that no async resource accompanies; the loop written out keeps the context. Nodes with frames keep it.',
  'events and async resources: PerformanceObserver':
    'Node delivers the entries of all observers in one callback, queued by whoever made the first entry.',
  'events and async resources: FinalizationRegistry':
    'the collector calls, at a time that belongs to nobody.',
  'thread pool, add-ons and databases: crypto.randomInt and randomFill':
    'concurrent `randomInt` calls wait for one refill of a cache, and are called from it.',
  'processes, threads and signals: signal':
    'one listener table and one signal handle serve the process: the event is of whoever listened first. `listeners: "registration"` keeps it.',
  'processes, threads and signals: process warning':
    'a warning is told to all listeners in the context of whoever warned. `listeners: "registration"` keeps it.',
};
