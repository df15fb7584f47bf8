/** A request that the application sends, as passed to predicates and hooks. */
export interface OutgoingRequest {
  /** The API that sends it. */
  readonly api: 'http' | 'undici' | 'http2';
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The host of the URL without brackets, or the path of a Unix domain socket. */
  readonly host: string | undefined;
  /** The port of the URL; undefined if it is not known yet, and for a Unix domain socket. */
  readonly port: number | undefined;
  /** The path and query as they are sent. They may contain secrets. */
  readonly path: string;
  /** The absolute URL, redacted. */
  readonly url: string;
  /** Returns a header of the request, by its name in lower case. */
  readonly header: (name: string) => string | readonly string[] | undefined;
  /** The `ClientRequest`, undici's request, or the headers given to `session.request`. */
  readonly native: unknown;
}

/** The response to an outgoing request, as passed to a hook at the end of its body. */
export interface IncomingResponse {
  /** The status code; undefined if no response arrived. */
  readonly status: number | undefined;
  /** The error, if the request failed. */
  readonly error: unknown;
  /** Returns a header of the response, by its name in lower case. */
  readonly header: (name: string) => string | readonly string[] | undefined;
}
