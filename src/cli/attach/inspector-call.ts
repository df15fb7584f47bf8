import { parentPort, workerData } from 'node:worker_threads';

import { messageOf } from '../../base/errors.ts';

/*
 * Evaluates one expression through the inspector of another process, and ends. It is a thread of its
 * own, since Node 20 has a WebSocket only where an option asks for it, which a thread can be given.
 */

export interface InspectorCall {
  /** The address of the inspector's WebSocket. */
  url: string;
  /** May return a promise; what it resolves to has to be plain data. */
  expression: string;
  /** Evaluated in any case before the session ends, whatever became of the expression. */
  last?: string | undefined;
  timeoutMillis: number;
}

/** What is posted to the caller, once. */
export interface InspectorAnswer {
  value?: unknown;
  error?: string;
}

interface Reply {
  id: number;
  error?: { message: string };
  result?: {
    result?: { value?: unknown };
    exceptionDetails?: { text?: string; exception?: { description?: string } };
  };
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(await call(workerData as InspectorCall));

async function call({
  url,
  expression,
  last,
  timeoutMillis,
}: InspectorCall): Promise<InspectorAnswer> {
  const socket = new WebSocket(url);
  const signal = AbortSignal.timeout(timeoutMillis);
  let answer: InspectorAnswer;
  try {
    await nextEvent(socket, 'open', signal);
    answer = await evaluate(socket, 1, expression, signal);
  } catch (error) {
    answer = { error: messageOf(error) };
  }
  if (socket.readyState === WebSocket.OPEN) {
    if (last) send(socket, 2, last);
    const closed = nextEvent(socket, 'close', AbortSignal.timeout(1000));
    socket.close();
    await closed.catch(() => undefined);
  }
  return answer;
}

function send(socket: WebSocket, id: number, expression: string): void {
  const params = {
    expression,
    awaitPromise: true,
    returnByValue: true,
    includeCommandLineAPI: true,
    silent: true,
  };
  socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
}

async function evaluate(
  socket: WebSocket,
  id: number,
  expression: string,
  signal: AbortSignal,
): Promise<InspectorAnswer> {
  send(socket, id, expression);
  for (;;) {
    const { data } = (await nextEvent(socket, 'message', signal)) as MessageEvent;
    const reply = JSON.parse(String(data)) as Reply;
    if (reply.id !== id) continue;
    const { exceptionDetails: thrown, result } = reply.result ?? {};
    if (reply.error) return { error: reply.error.message };
    if (!thrown) return { value: result?.value };
    const text = thrown.exception?.description ?? thrown.text ?? 'it threw';
    return { error: text.split('\n')[0] ?? text };
  }
}

function nextEvent(socket: WebSocket, name: string, signal: AbortSignal): Promise<Event> {
  return new Promise((resolve, reject) => {
    const fails = (): void => reject(new Error('the connection to its inspector was closed'));
    const late = (): void => reject(new Error('its event loop is busy: there was no answer'));
    const listeners = {
      [name]: resolve,
      error: fails,
      ...(name === 'close' ? {} : { close: fails }),
    };
    const done = new AbortController();
    const settle = (act: (event: never) => void) => (event: Event) => {
      done.abort();
      act(event as never);
    };
    for (const [event, act] of Object.entries(listeners)) {
      socket.addEventListener(event, settle(act), { signal: done.signal });
    }
    signal.addEventListener('abort', settle(late), { signal: done.signal });
  });
}
