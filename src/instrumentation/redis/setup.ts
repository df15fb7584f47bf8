import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

import { runInRoot } from '../root.ts';

/*
 * A connection is set up outside of every request, in a context that says so: the commands that a
 * client sends of its own accord (`hello`, `info`, `cluster slots`, pings, subscribing again, asking
 * the sentinels) all come from the socket and the timers born there. The application's listeners do
 * not run in it: they have the context of their registration.
 */
const SETTING_UP = createContextKey('clew setting up a Redis connection');
const SETUP_CONTEXT = ROOT_CONTEXT.setValue(SETTING_UP, true);

/** Calls `fn` as the work of a connection itself. */
export function setUp<This, Args extends unknown[], Result>(
  fn: (this: This, ...args: Args) => Result,
  thisArg: This,
  ...args: Args
): Result {
  return runInRoot(() => context.with(SETUP_CONTEXT, () => fn.apply(thisArg, args)), undefined);
}

/** Whether the active context is that of a connection's own work. */
export function isSettingUp(): boolean {
  return context.active().getValue(SETTING_UP) === true;
}
