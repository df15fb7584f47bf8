/** A request that the application sends, as predicates and hooks get it. */
export interface OutgoingRequest {
  /** Which API sends it. */
  readonly api: 'http' | 'undici' | 'http2';
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The host of the URL without brackets, or the path of a Unix domain socket. */
  readonly host: string | undefined;
  /** The port of the URL; undefined where it is not known yet, and for a Unix domain socket. */
  readonly port: number | undefined;
  /** The path and the query as they are sent. Secrets are in it. */
  readonly path: string;
  /** The absolute URL, redacted. */
  readonly url: string;
  /** Returns a header of the request, by its name in lower case. */
  readonly header: (name: string) => string | readonly string[] | undefined;
  /** The `ClientRequest`, undici's request, or the headers given to `session.request`. */
  readonly native: unknown;
}

/** The answer to an outgoing request, as a hook gets it at the end of its body. */
export interface IncomingResponse {
  /** The status code; undefined where no response came. */
  readonly status: number | undefined;
  /** Why the request failed, if it did. */
  readonly error: unknown;
  /** Returns a header of the response, by its name in lower case. */
  readonly header: (name: string) => string | readonly string[] | undefined;
}
