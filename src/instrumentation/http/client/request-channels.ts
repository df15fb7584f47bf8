import diagnosticsChannel from 'node:diagnostics_channel';
import { http } from '../../../base/node-http.ts';

/** On which Node says that a request was made, before anything of it is sent. */
export const CREATED_CHANNEL = 'http.client.request.created';
/** Node forgets a channel that is not held, by a registry whose callbacks delay those of others. */
const created = diagnosticsChannel.channel(CREATED_CHANNEL);
let found: boolean | undefined;

/** Whether this Node says on a channel that a request was made, found out with one that is never sent. */
export function publishesCreated(): boolean {
  found ??= probe();
  return found;
}

function probe(): boolean {
  let heard = false;
  const listener = (): void => void (heard = true);
  created.subscribe(listener);
  try {
    const agent = { addRequest: () => undefined, protocol: 'http:', defaultPort: 80 };
    const options = { agent, host: 'localhost', path: '/' };
    void new http.ClientRequest(options as never);
    return heard;
  } catch {
    return false;
  } finally {
    created.unsubscribe(listener);
  }
}
