import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { PrivateFields } from '../../../carry/private-fields.ts';
import type { ClientCall } from './client-call.ts';

/** What is known of a request that was sent, for it and for its response. */
export interface Sent {
  /** The context of whoever sent it. */
  readonly context: Context;
  readonly call: ClientCall | undefined;
  /** What the trace headers will tell of; undefined once they are there, and where none are sent. */
  trace?: Context | undefined;
}

/** Of a request that is over, which is no new one if an application goes on with it. */
const FORGOTTEN: Sent = { context: ROOT_CONTEXT, call: undefined };

/** Notes what was sent on the objects of Node that stand for it. */
export class SentRequest extends PrivateFields {
  #sent: Sent | undefined;

  static note(object: object, sent: Sent): void {
    if (#sent in object) object.#sent = sent;
    else new SentRequest(object).#sent = sent;
  }

  static of(object: object): Sent | undefined {
    return #sent in object ? object.#sent : undefined;
  }

  /** Nothing more will come: an idle connection of TLS holds the request that opened it. */
  static forget(object: object): void {
    if (#sent in object) object.#sent = FORGOTTEN;
  }
}
