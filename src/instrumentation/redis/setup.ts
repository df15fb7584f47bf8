import { AsyncLocalStorage } from 'node:async_hooks';

import { runInRoot } from '../../carry/root-context.ts';

/*
 * A connection is set up outside of every request, and what runs there is marked: the commands that
 * a client sends of its own accord (`hello`, `info`, `cluster slots`, pings, subscribing again, asking
 * the sentinels) all come from the socket and the timers born there. The application's listeners do
 * not run in it: they have the context of their registration. The mark is not in the context, because
 * measurements are right without a context manager, too.
 */
const settingUp = new AsyncLocalStorage<true>();

/** Calls `fn` as the work of a connection itself. */
export function setUp<This, Args extends unknown[], Result>(
  fn: (this: This, ...args: Args) => Result,
  thisArg: This,
  ...args: Args
): Result {
  return runInRoot(() => settingUp.run(true, () => fn.apply(thisArg, args)), undefined);
}

/** Whether this is the work of a connection itself. */
export function isSettingUp(): boolean {
  return settingUp.getStore() === true;
}
