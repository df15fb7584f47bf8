import { isMainThread, type MessagePort } from 'node:worker_threads';

import type { Context } from '@opentelemetry/api';

import { environment } from '../../base/environment.ts';
import type { ConsumerSpans } from '../messaging/messaging-settings.ts';
import { onModule } from '../module-hooks.ts';
import { undoAll, type Undo } from '../../base/patch.ts';
import { extracted } from './carrier.ts';
import { giveToChildProcesses } from './child-processes.ts';
import { contextOfEnvironment, readCarrier } from './environment.ts';
import { bull } from './pools/bull.ts';
import { piscina } from './pools/piscina.ts';
import { workerpool } from './pools/workerpool.ts';
import { CONTEXTS_ALONE, MessageSpans, type MessageContexts } from './message-contexts.ts';
import {
  announceEnvelopes,
  heard,
  sendContextsOver,
  sendContextsToChildren,
} from './process-messages.ts';
import { openPortMessages, openProcessMessages, type Attach } from './received-messages.ts';
import type { ProcessSettings } from './settings.ts';
import { StartContext, type BaseContextHolder } from './start-context.ts';
import {
  announceOpening,
  beforeMessages,
  giveToWorkers,
  sendContextsToParent,
  takeGiven,
  type Given,
} from './worker-threads.ts';

/** What is needed of the context manager; another one than ours has no start context to hold. */
export interface ProcessContextManager extends BaseContextHolder {
  attach: Attach;
}

/** How the spans of this thread and of those it starts reach the one that sends them. */
export interface SpanLines {
  /** Makes a line to the sender for a worker thread. */
  shareSender(): MessagePort | undefined;
  /** Hands the spans that have ended to the sender. */
  handOn(): void;
}

/** What came of it. */
export interface Joined {
  /** The line to the sender of the main thread that this worker thread was given. */
  readonly sender: MessagePort | undefined;
  readonly undo: Undo;
}

/**
 * Has this process or worker thread belong to the context that it was started in, and those that it
 * starts to the ones in which they are.
 */
export function joinProcesses(
  settings: ProcessSettings,
  manager: ProcessContextManager | undefined,
  lines: SpanLines,
  consumerSpans: ConsumerSpans = {},
): Joined {
  const { gives } = settings;
  const messages = messageContextsOf(settings, consumerSpans);
  const given = isMainThread ? {} : takeGiven();
  const undos: (Undo | undefined)[] = [
    isMainThread
      ? joinParentProcess(settings, manager, messages)
      : joinParentThread(given, settings, manager, messages),
    giveToWorkers({ gives, messages, shareSender: () => lines.shareSender() }),
  ];
  if (!isMainThread) undos.push(beforeMessages(() => lines.handOn()));
  if (gives) {
    undos.push(onModule(piscina), onModule(workerpool), onModule(bull));
    undos.push(giveToChildProcesses(readCarrier(environment())));
  }
  if (messages) undos.push(sendContextsToChildren(messages));
  return { sender: given.sender, undo: undoAll(undos) };
}

/** What messages carry. Those of a thread are its caller's business, so their spans are children. */
function messageContextsOf(
  { messages }: ProcessSettings,
  { worker_threads: own, all }: ConsumerSpans,
): MessageContexts | undefined {
  if (messages === 'spans') return new MessageSpans(own ?? all ?? 'child');
  return messages === 'on' ? CONTEXTS_ALONE : undefined;
}

/** The environment has the context; messages come over a channel where the process was forked. */
function joinParentProcess(
  settings: ProcessSettings,
  manager: ProcessContextManager | undefined,
  messages: MessageContexts | undefined,
): Undo {
  const start = startIn(contextOfEnvironment(environment()), settings, manager);
  if (typeof process.send !== 'function') return () => start?.end();
  const at = { system: 'child_process', destination: 'child' } as const;
  const delivering = { at, contexts: messages ?? CONTEXTS_ALONE };
  const open = openProcessMessages(process, delivering, (emitter, name, message) => {
    if (name === 'message') start?.end();
    else if (messages) heard(emitter, name, message);
  });
  const to = { system: 'child_process', destination: 'parent' } as const;
  const send = messages && sendContextsOver(process, to, messages);
  if (messages) announceEnvelopes(process);
  // Once the parent knows that envelopes are opened, they are.
  return undoAll([() => start?.end(), send ? undefined : open, send]);
}

/** The data of the thread has the context. Its environment is a copy of the main thread's. */
function joinParentThread(
  given: Given,
  settings: ProcessSettings,
  manager: ProcessContextManager | undefined,
  messages: MessageContexts | undefined,
): Undo {
  let start: StartContext | undefined;
  const open = openPortMessages(
    () => start?.end(),
    messages ?? CONTEXTS_ALONE,
    manager && ((context) => manager.attach(context)),
  );
  // Without that the end of the start would not be seen.
  if (open === undefined) return () => undefined;
  start = startIn(extracted(given.carrier), settings, manager);
  const isAsked = announceOpening(given);
  const send = messages && sendContextsToParent(given, messages);
  return undoAll([() => start?.end(), isAsked ? undefined : open, send]);
}

function startIn(
  context: Context | undefined,
  { takes, maxAgeMillis }: ProcessSettings,
  manager: ProcessContextManager | undefined,
): StartContext | undefined {
  if (!takes || manager === undefined || context === undefined) return undefined;
  return new StartContext(manager, context, maxAgeMillis);
}

export { readProcessSettings, type ProcessSettings } from './settings.ts';
