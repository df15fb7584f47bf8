import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';

import { messageOf } from '../../base/errors.ts';
import { say } from '../../base/log.ts';
import { createAsyncWrapper } from './iitm.ts';
import { guardImports, type AsyncWrapper } from './import-guard.ts';

/*
 * The import hooks on the thread that older Nodes run them on. The names that are wanted come
 * over a port. It is read before each decision: what the application's thread posted before an
 * import is known to that import, without a reply to wait for. The names of packages that are
 * imported are posted the other way.
 */

/** Given to `module.register`. */
export interface LoaderData {
  port: MessagePort;
}

/** Posted when a name comes or goes. */
export interface NameChange {
  name: string;
  isWanted: boolean;
}

const names = new Set<string>();
let port: MessagePort | undefined;
let wrapper: AsyncWrapper | undefined;

export async function initialize(data: LoaderData): Promise<void> {
  port = data.port;
  port.unref();
  try {
    wrapper = await createAsyncWrapper();
  } catch (error) {
    say('warn', `modules loaded by \`import\` cannot be instrumented: ${messageOf(error)}`);
  }
}

const wanted = {
  has(name: string): boolean {
    for (;;) {
      const received = port && receiveMessageOnPort(port);
      if (!received) return names.has(name);
      const change = received.message as NameChange;
      if (change.isWanted) names.add(change.name);
      else names.delete(change.name);
    }
  },
};

const onPackage = (name: string): void => {
  // A port of a thread, which has no origins.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  port?.postMessage(name);
};

const hooks: AsyncWrapper = guardImports(wanted, () => wrapper, { onPackage });
export const resolve: AsyncWrapper['resolve'] = hooks.resolve;
export const load: AsyncWrapper['load'] = hooks.load;
