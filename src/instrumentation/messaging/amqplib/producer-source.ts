import { CallScope } from '../../../carry/call-scope.ts';
import { bindCallback } from '../../pending-operation.ts';
import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { describePublish } from './attributes.ts';
import type { Callback, Channel, Class, ModelChannel, PublishFields } from './library-types.ts';

/*
 * `publish` of a channel is one call from the application's to the socket: `publishing` is the one that
 * is under way. The recording begins where the channel hands the message on, with fields of the
 * library's own, and ends with the call, or with the broker's confirm where the caller waits for that.
 */

interface Publication {
  readonly channel: object;
  recording?: MessageRecording | undefined;
  /** Whether the caller gave a callback for the confirm. */
  isConfirmed?: boolean;
}

const publishing = new CallScope<Publication>();

/** `publish` of the channels of either API, which `sendToQueue` calls. */
export function patchPublish(
  { prototype }: Class<ModelChannel>,
  recorder: MessagingRecorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'amqplib publish');
  if (!release) return undefined;
  return undoAll([
    release,
    patchHotMethod(prototype, 'publish', (original, patch) => {
      return function publish(this: ModelChannel, ...args: unknown[]): unknown {
        // A confirm channel calls the method of a plain one.
        if (patch.isUndone || publishing.current?.channel === this)
          return original.apply(this, args);
        const publication: Publication = { channel: this };
        const outer = publishing.enter(publication);
        try {
          const result = original.apply(this, args);
          if (!publication.isConfirmed) publication.recording?.end();
          return result;
        } catch (error) {
          // A channel that is closed throws before there is a message.
          publication.recording ??= recorder.start(() => {
            const [exchange, routingKey] = args as [string, string];
            return describePublish(this.connection, { exchange, routingKey }, args[2]);
          });
          publication.recording?.end(error);
          throw error;
        } finally {
          publishing.leave(outer);
        }
      };
    }),
  ]);
}

/** What all channels do with a message, and with the callback for its confirm. */
export function patchMessages(
  { prototype }: Class<Channel>,
  recorder: MessagingRecorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'amqplib messages');
  if (!release) return undefined;
  return undoAll([
    release,
    patchHotMethod(prototype, 'sendMessage', (original, patch) => {
      return function sendMessage(this: Channel, fields, properties, content): unknown {
        const publication = publishing.current;
        if (!patch.isUndone && publication?.channel === this) {
          const recording = recorder.start(() => {
            return describePublish(this.connection, properties, content);
          });
          publication.recording = recording;
          const remove = addHeaders(properties, recording?.carrier());
          try {
            return original.call(this, fields, properties, content);
          } catch (error) {
            if (!remove) throw error;
            // Headers have a limit, which those of the application alone may keep to.
            remove();
            return original.call(this, fields, properties, content);
          }
        }
        return original.call(this, fields, properties, content);
      };
    }),
    patchMethod(prototype, 'pushConfirmCallback', (original) => {
      return function pushConfirmCallback(this: Channel, callback?: Callback | null): unknown {
        if (typeof callback !== 'function') return original.call(this, callback);
        const confirm = bindCallback('AMQP_CONFIRM', callback as (...args: unknown[]) => unknown);
        const publication = publishing.current;
        if (publication?.channel !== this) return original.call(this, confirm);
        publication.isConfirmed = true;
        return original.call(this, function confirmed(this: unknown, ...args: unknown[]): unknown {
          publication.recording?.end(args[0] ?? undefined);
          return confirm.apply(this, args);
        });
      };
    }),
  ]);
}

/**
 * Adds the fields of `carrier` and returns what takes them out. The library made `headers` for this
 * message; those of the caller are its prototype.
 */
function addHeaders(
  { headers }: PublishFields,
  carrier: Readonly<Record<string, string>> | undefined,
): Undo | undefined {
  if (headers === undefined || carrier === undefined) return undefined;
  const names = Object.keys(carrier);
  for (const name of names) {
    const attributes = { configurable: true, enumerable: true, writable: true };
    Object.defineProperty(headers, name, { value: carrier[name], ...attributes });
  }
  return () => {
    for (const name of names) Reflect.deleteProperty(headers, name);
  };
}
