import { CallScope } from '../../../carry/call-scope.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { settling } from '../run-handler.ts';
import { describeMessage, isOfApplication } from './attributes.ts';
import { withCarrier } from './headers.ts';
import type { Connection, Protocol } from './library-types.ts';

/*
 * A call of the application's is `sending` until it returns: the connection hands its message to the
 * protocol meanwhile, where it gets its headers. What comes there by another way is a reply.
 */

interface Sending {
  readonly recording: MessageRecording | undefined;
}

const sending = new CallScope<Sending>();

/** Whether the connection is being used by the client for a request of the application. */
export function isSending(): boolean {
  return sending.current !== undefined;
}

export function patchConnection(
  prototype: Connection,
  recorder: MessagingRecorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'nats connection');
  if (!release) return undefined;
  const asking = (method: 'request' | 'requestMany'): Undo | undefined =>
    patchMethod(prototype, method, (original) => {
      return function request(this: Connection, subject, ...rest): Promise<unknown> {
        const recording = start(recorder, this.protocol, subject, rest[0], 'request');
        const asked = during(recording, () => original.call(this, subject, ...rest));
        return recording ? settling(recording, asked) : asked;
      };
    });
  return undoAll([
    release,
    patchMethod(prototype, 'publish', (original) => {
      return function publish(this: Connection, subject, ...rest): void {
        // A request publishes by this, too.
        if (sending.current) return original.call(this, subject, ...rest);
        const recording = start(recorder, this.protocol, subject, rest[0]);
        during(recording, () => original.call(this, subject, ...rest));
        recording?.end();
      };
    }),
    asking('request'),
    asking('requestMany'),
  ]);
}

/** What is sent at last, which is where a message answers another. */
export function patchProtocol(prototype: Protocol, recorder: MessagingRecorder): Undo | undefined {
  const release = reservePatch(prototype, 'nats protocol');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'publish', (original) => {
      return function publish(this: Protocol, subject, payload, options): void {
        const call = sending.current;
        const recording = call ? call.recording : start(recorder, this, subject, payload);
        const carrier = this.info?.headers === true ? recording?.carrier() : undefined;
        try {
          if (carrier === undefined) original.call(this, subject, payload, options);
          else {
            const headers = withCarrier(options?.headers, carrier);
            try {
              original.call(this, subject, payload, { ...options, headers });
            } catch {
              // A message has a limit, which that of the application alone may keep to.
              original.call(this, subject, payload, options);
            }
          }
          if (!call) recording?.end();
        } catch (error) {
          if (!call) recording?.end(error ?? String(error));
          throw error;
        }
      };
    }),
  ]);
}

function start(
  recorder: MessagingRecorder,
  protocol: Protocol,
  subject: unknown,
  payload: unknown,
  name?: string,
): MessageRecording | undefined {
  if (!isOfApplication(subject)) return undefined;
  return recorder.start(() => describeMessage('send', protocol, subject, payload, { name }));
}

function during<Result>(recording: MessageRecording | undefined, call: () => Result): Result {
  const outer = sending.enter({ recording });
  try {
    return call();
  } catch (error) {
    recording?.end(error ?? String(error));
    throw error;
  } finally {
    sending.leave(outer);
  }
}
