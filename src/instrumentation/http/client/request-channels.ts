import diagnosticsChannel from 'node:diagnostics_channel';
import { http } from '../../../base/node-http.ts';

/** On which Node says that a request was made, before anything of it is sent. */
export const CREATED_CHANNEL = 'http.client.request.created';
let found: boolean | undefined;

/** Whether this Node says on a channel that a request was made, found out with one that is never sent. */
export function publishesCreated(): boolean {
  found ??= probe();
  return found;
}

function probe(): boolean {
  let heard = false;
  const listener = (): void => void (heard = true);
  diagnosticsChannel.subscribe(CREATED_CHANNEL, listener);
  try {
    const agent = { addRequest: () => undefined, protocol: 'http:', defaultPort: 80 };
    const options = { agent, host: 'localhost', path: '/' };
    void new http.ClientRequest(options as never);
    return heard;
  } catch {
    return false;
  } finally {
    diagnosticsChannel.unsubscribe(CREATED_CHANNEL, listener);
  }
}
