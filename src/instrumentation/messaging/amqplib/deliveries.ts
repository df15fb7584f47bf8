import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

import { ATTR_SETTLEMENT } from '../attributes.ts';
import type { MessageRecording } from '../message-recording.ts';

/*
 * The messages of each channel that are not settled yet, oldest first, by delivery tag. Written before a
 * handler is called, deleted where the application settles a message, where an async handler is done, or
 * where the channel closes. The broker hands out as many at most as the prefetch count allows; there is
 * no such limit by default, so past `MAX_OPEN` the oldest is forgotten, and its span ends as it is.
 */

const MAX_OPEN = 1000;

const channels = new WeakMap<object, Map<number, Delivery>>();

/** A message whose span is open until its handler has returned and it is settled. */
export class Delivery {
  readonly #recording: MessageRecording;
  #hasReturned = false;
  #isSettled: boolean;

  constructor(channel: object, tag: number, recording: MessageRecording, noAck: boolean) {
    this.#recording = recording;
    this.#isSettled = noAck;
    if (noAck) return;
    const open = channels.get(channel) ?? new Map<number, Delivery>();
    channels.set(channel, open.set(tag, this));
    if (open.size <= MAX_OPEN) return;
    const [[oldest, delivery]] = open as unknown as [[number, Delivery]];
    open.delete(oldest);
    delivery.settled('ack');
  }

  /** The handler has returned, and says nothing of when it is done. */
  returned(): void {
    this.#hasReturned = true;
    if (this.#isSettled) this.#recording.end();
  }

  settled(settlement: Settlement): void {
    this.#isSettled = true;
    if (settlement !== 'ack') this.#recording.add({ [ATTR_SETTLEMENT]: settlement });
    if (this.#hasReturned) this.#recording.end();
  }

  /** The channel has closed: the broker delivers the message again. */
  abandoned(): void {
    this.#isSettled = true;
    if (!this.#hasReturned) return;
    this.#recording.add({ [ATTR_ERROR_TYPE]: 'channel_closed' });
    this.#recording.end();
  }
}

export type Settlement = 'ack' | 'nack' | 'reject';

/** The application settled one message, or all up to one; without a tag, all there are. */
export function settle(
  channel: object,
  settlement: Settlement,
  tag: number = Infinity,
  allUpTo: boolean = tag === Infinity,
): void {
  const open = channels.get(channel);
  if (open === undefined) return;
  const tags = allUpTo ? [...open.keys()].filter((each) => each <= tag) : [tag];
  for (const each of tags) {
    const delivery = open.get(each);
    open.delete(each);
    delivery?.settled(settlement);
  }
}

/** Forgets a message whose handler told itself when it was done. */
export function forget(channel: object, tag: number): void {
  channels.get(channel)?.delete(tag);
}

export function abandonAll(channel: object): void {
  const open = channels.get(channel);
  channels.delete(channel);
  for (const delivery of open?.values() ?? []) delivery.abandoned();
}
