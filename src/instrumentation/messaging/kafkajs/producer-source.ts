import { patchMethod, type PatchState } from '../../../base/patch.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { guard } from '../guard.ts';
import { describeSend, placeOf } from './attributes.ts';
import type { Message, Producer, Sender, TopicMessages } from './library-types.ts';

/** Records what `producer` sends, also in its transactions. A producer is an object of functions. */
export function watchProducer(
  producer: Producer,
  recorder: MessagingRecorder,
  patch: PatchState,
): void {
  watchSender(producer, recorder, patch);
  patchMethod(producer, 'transaction', (original) => {
    return async function transaction(this: Producer): Promise<Sender> {
      const begun = await original.call(this);
      watchSender(begun, recorder, patch);
      return begun;
    };
  });
}

function watchSender(sender: Sender, recorder: MessagingRecorder, patch: PatchState): void {
  patchMethod(sender, 'send', (original) => {
    return function send(this: Sender, record): Promise<unknown> {
      if (patch.isUndone || !recorder.isListening) return original.call(this, record);
      const recording = recorder.start(() => describeSend(record ?? {}));
      const carried =
        recording && guard('put the trace into messages', () => carrying(record, recording));
      const sent = original.call(this, carried ?? record);
      return ending(sent, recording ? [recording] : [], record?.messages?.length === 1);
    };
  });
  patchMethod(sender, 'sendBatch', (original) => {
    return function sendBatch(this: Sender, batch): Promise<unknown> {
      const topics = batch?.topicMessages;
      if (patch.isUndone || !Array.isArray(topics) || !recorder.isListening) {
        return original.call(this, batch);
      }
      const recordings = new Map<unknown, MessageRecording>();
      const topicMessages = topics.map((each) => {
        // The library merges what goes to the same topic.
        const recording =
          recordings.get(each?.topic) ?? recorder.start(() => describeSend(merged(topics, each)));
        if (recording === undefined) return each;
        recordings.set(each?.topic, recording);
        return guard('put the trace into messages', () => carrying(each, recording)) ?? each;
      });
      return ending(
        original.call(this, { ...batch, topicMessages }),
        [...recordings.values()],
        false,
      );
    };
  });
}

function merged(topics: readonly TopicMessages[], { topic }: TopicMessages): TopicMessages {
  const same = topics.filter((each) => each.topic === topic);
  return { topic, messages: same.flatMap(({ messages }) => messages) };
}

/** The same outcome as that of `sent`, with which the recordings end. */
async function ending(
  sent: Promise<unknown>,
  recordings: readonly MessageRecording[],
  isSingle: boolean,
): Promise<unknown> {
  try {
    const result = await sent;
    for (const recording of recordings) {
      if (isSingle) guard('read a result', () => recording.add(placeOf(result)));
      recording.end(undefined, result);
    }
    return result;
  } catch (error) {
    for (const recording of recordings) recording.end(error ?? String(error));
    throw error;
  }
}

/**
 * A copy of `record` whose messages carry the trace; undefined where the library refuses one of them,
 * since it quotes that in its error.
 */
function carrying<Record extends TopicMessages>(
  record: Record,
  recording: MessageRecording,
): Record | undefined {
  const carrier = recording.carrier();
  const { messages } = record;
  if (carrier === undefined || !Array.isArray(messages)) return undefined;
  const copies: Message[] = [];
  for (const message of messages) {
    if (typeof message !== 'object' || message === null) return undefined;
    if (message.value === undefined) return undefined;
    // Of the same class, for a partitioner of the application.
    const copy = Object.assign(Object.create(Object.getPrototypeOf(message)) as Message, message);
    copies.push(Object.assign(copy, { headers: { ...copy.headers, ...carrier } }));
  }
  return { ...record, messages: copies };
}
