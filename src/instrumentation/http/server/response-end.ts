/** What is known of a response at its end. */
export interface ResponseEnd {
  /** Undefined where no response was begun. */
  readonly status: number | undefined;
  /** The size of the body in bytes, where it is known. */
  readonly size: number | undefined;
  /** Why the response is not complete: a value of `error.type`. */
  readonly failure: string | undefined;
  /** The value of a header of the response. */
  header(name: string): unknown;
  /** The value of a trailer, for protocols that have one; a response without a body has it as a header. */
  trailer?(name: string): unknown;
  /** The response, for hooks. */
  readonly response?: object;
}

/** How the end of a message is read. */
export type ReadEnd<Message extends object> = (message: Message, isSent: boolean) => ResponseEnd;

/** `error.type` of a response that the client did not wait for. */
export const ABORTED_BY_CLIENT = 'aborted';
/** `error.type` of a response that was given up on this side. */
export const DESTROYED = 'destroyed';

/** The end of a request whose connection went before its response was begun. */
export const NOT_ANSWERED: ResponseEnd = {
  status: undefined,
  size: undefined,
  failure: ABORTED_BY_CLIENT,
  header: () => undefined,
};
