import type { Model } from './library-types.ts';

/**
 * The classes that a connection is made of, which a bundle exports nowhere: its own, and those of its
 * channels, of which one is begun on a connection that takes no more.
 */
export function classesBehind(model: Model): unknown[] {
  const found = new Set<unknown>();
  const add = (instance: object): void => {
    for (let each: unknown = instance.constructor; typeof each === 'function';) {
      found.add(each);
      each = Object.getPrototypeOf(each);
    }
  };
  add(model);
  add(model.connection);
  const connection = {
    on: () => undefined,
    freshChannel(channel: object): never {
      add(channel);
      throw new Error('no channel');
    },
  };
  for (const method of ['createChannel', 'createConfirmChannel'] as const) {
    try {
      const result = model[method].call({ connection }, () => undefined);
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // It is the class that was wanted.
    }
  }
  return [...found];
}
