import { defineScript, type CommandParser } from 'redis';

import type { Form, Note } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

/* What every version of node-redis has, and clients, pools, clusters and sentinels alike. */

interface Commands {
  set(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<unknown>;
  lPush(key: string, value: string): Promise<unknown>;
  multi(): Multi;
}

interface Multi {
  set(key: string, value: string): Multi;
  get(key: string): Multi;
  exec(): Promise<unknown>;
}

export const commonForms: Form<Commands>[] = [
  {
    name: 'promise',
    run: async (target, note) => {
      await target.set('{clew}:a', '1');
      note('continuation');
    },
  },
  { name: 'then', run: (target, note) => target.get('{clew}:a').then(() => note('then')) },
  {
    name: 'rejected promise',
    run: (target, note) => target.lPush('{clew}:text', 'a').catch(() => note('catch')),
  },
  {
    name: 'three at once',
    operations: 3,
    run: async (target, note) => {
      await Promise.all(['a', 'b', 'c'].map((key) => target.get(key).then(() => note(key))));
    },
  },
  {
    name: 'transaction',
    run: async (target, note) => {
      await target.multi().set('{clew}:a', '1').get('{clew}:a').exec();
      note('continuation');
    },
  },
  {
    name: 'transaction never executed',
    operations: 0,
    run: async (target, note) => {
      target.multi().get('{clew}:a');
      note('left alone');
    },
  },
];

/** What has the command that an application defined by a script. */
export interface Scripted {
  addTo(key: string, by: number): Promise<number>;
  scriptFlush(): Promise<unknown>;
}

/** That command, as all versions take it. */
export const scripts: Record<string, never> = {
  addTo: {
    ...(defineScript({
      SCRIPT: "return redis.call('incrby', KEYS[1], ARGV[1])",
      NUMBER_OF_KEYS: 1,
      parseCommand(parser: CommandParser, key: string, by: number) {
        parser.pushKey(key);
        parser.push(String(by));
      },
      transformReply: (reply: unknown) => reply as never,
    }) as object),
    transformArguments: (key: string, by: number) => [key, String(by)],
    // Without it a cluster of version 4 asks servers at random, and gives up after 16.
    FIRST_KEY_INDEX: (key: string) => key,
  } as never,
};

export const script: Form<Pick<Scripted, 'addTo'>> = {
  name: 'script',
  run: async (target, note) => {
    await target.addTo('{clew}:n', 1);
    note('continuation');
  },
};

export const forgottenScript: Form<Scripted> = {
  name: 'script that the server has forgotten',
  operations: 3,
  run: async (client, note) => {
    await client.addTo('{clew}:n', 1);
    await client.scriptFlush();
    await client.addTo('{clew}:n', 1);
    note('continuation');
  },
};

/** A listener, and a promise of its being called. */
export function hearing(note: Note): { heard: Promise<unknown>; listener: () => void } {
  let listener = (): void => undefined;
  const heard = called((done) => (listener = noted(note, done)));
  return { heard, listener };
}

/** `done` as a callback that notes where it is called. */
export function noted(note: Note, done: (...args: never[]) => void): (...args: unknown[]) => void {
  return (...args) => {
    note('callback');
    (done as (...args: unknown[]) => void)(...args);
  };
}
