/*
 * Explains why a request failed, and the first thing to check. Pure functions of what Node or the
 * collector reports, so that each cause can be tested by itself.
 */

export interface Failure {
  /** Follows "No spans reach the collector at ...". */
  reason: string;
  /** A sentence that names the variable, or the place, to check. */
  advice: string;
  /** Nothing listens at the address. */
  isAbsent?: boolean;
  /** Something accepts the connection and answers nothing. */
  isSilent?: boolean;
}

const START_ONE =
  'Start one there, or set OTEL_EXPORTER_OTLP_ENDPOINT; OTEL_TRACES_EXPORTER=none turns this off.';
const ENDPOINT = 'Check OTEL_EXPORTER_OTLP_ENDPOINT.';
const NEEDS_HTTP = 'OTEL_EXPORTER_OTLP_ENDPOINT has to begin with http:// here.';
const NEEDS_HTTPS = 'OTEL_EXPORTER_OTLP_ENDPOINT has to begin with https:// here.';
const GRPC = 'Collectors accept OTLP over HTTP on port 4318; port 4317 is for gRPC.';
const AUTHORITY =
  "OTEL_EXPORTER_OTLP_CERTIFICATE has to name a PEM file with its authority's certificate.";
const CLIENT = 'Check OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY.';
const LOG = 'See the log of the collector.';

const UNKNOWN_AUTHORITY: Failure = {
  reason: 'its certificate is signed by an unknown authority',
  advice: AUTHORITY,
};
const NO_CLIENT_CERTIFICATE: Failure = {
  reason: 'it rejects our client certificate, or requires one',
  advice: CLIENT,
};
const NOT_TLS: Failure = { reason: 'it does not speak TLS', advice: NEEDS_HTTP };

/** Keyed by the `code` of the error. */
const FAILURES: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: { reason: 'connection refused', advice: START_ONE, isAbsent: true },
  ENOTFOUND: { reason: 'host not found', advice: ENDPOINT, isAbsent: true },
  EAI_AGAIN: { reason: 'host not found for now', advice: ENDPOINT, isAbsent: true },
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: {
    reason: 'its certificate has expired',
    advice: 'Renew it, and check the clock of this machine.',
  },
  CERT_NOT_YET_VALID: {
    reason: 'its certificate is not valid yet',
    advice: 'Check the clocks of both machines.',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: 'its certificate is for another host',
    advice: 'OTEL_EXPORTER_OTLP_ENDPOINT has to use a host name of the certificate.',
  },
};

/** Keyed by OpenSSL's text in `message`, as the code differs between versions of Node. */
const TLS_MESSAGES: readonly (readonly [RegExp, Failure])[] = [
  [/wrong version number|packet length too long|http request/i, NOT_TLS],
  [/no application protocol/i, { reason: 'it only speaks gRPC', advice: GRPC }],
  [
    /alert (certificate required|handshake failure|bad certificate|unknown ca|certificate (unknown|expired|revoked)|unsupported certificate)/i,
    NO_CLIENT_CERTIFICATE,
  ],
  [
    /key values mismatch|no start line|bad end line|PEM routines|no private key/i,
    { reason: 'our client certificate and key cannot be used', advice: CLIENT },
  ],
];

type RequestError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/** Explains why a request to `url` got no answer. */
export function explainError(error: RequestError, url: string): Failure {
  const { code = '', message } = error;
  const known = FAILURES[code];
  if (known?.isAbsent && isGrpcPort(url)) return { ...known, advice: GRPC };
  if (known) return known;
  if (code.startsWith('HPE_')) return explainGarbage(error.rawPacket);
  for (const [pattern, failure] of TLS_MESSAGES) {
    if (pattern.test(message) && url.startsWith('https:')) return failure;
  }
  const reason = code || message;
  if (code !== 'ECONNRESET' && code !== 'EPIPE') return { reason, advice: START_ONE };
  if (url.startsWith('https:')) return { reason, advice: `${CLIENT} ${LOG}` };
  return { reason, advice: `Does it expect https://, or gRPC? ${ENDPOINT}` };
}

/** Whether a URL has the port at which collectors take OTLP over gRPC. */
function isGrpcPort(url: string): boolean {
  return URL.canParse(url) && new URL(url).port === '4317';
}

/** Explains that no response arrived in time. */
export function explainSilence(timeoutMillis: number): Failure {
  const reason = `no answer within ${timeoutMillis} ms`;
  return { reason, advice: `${LOG} ${ENDPOINT}`, isSilent: true };
}

/** The response is not HTTP/1; an HTTP/2 server begins with a SETTINGS frame. */
function explainGarbage(packet: Buffer | undefined): Failure {
  const SETTINGS = 4;
  const isHttp2 = packet !== undefined && packet.length >= 9 && packet[3] === SETTINGS;
  if (isHttp2 && packet.readUInt32BE(5) === 0) return { reason: 'it speaks gRPC', advice: GRPC };
  return { reason: 'the server there does not speak HTTP', advice: ENDPOINT };
}

/** What to check after a response with this status. */
export function adviceForStatus(status: number): string {
  if (status === 401 || status === 403) return 'Check OTEL_EXPORTER_OTLP_HEADERS.';
  if (status < 400 || status === 404 || status === 405) return ENDPOINT;
  return LOG;
}

/**
 * Explains a response that cannot come from a collector, whatever its status: a web page, gRPC, a
 * server that expects TLS. Returns undefined for any other.
 */
export function explainStranger(
  status: number,
  contentType: string | undefined,
  body: Buffer,
): Failure | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const beginning = body.subarray(0, 512).toString('latin1').trimStart();
  if (/HTTP request (was sent )?to (an )?HTTPS (server|port)/i.test(beginning)) {
    return { reason: 'it expects TLS', advice: NEEDS_HTTPS };
  }
  if (type.startsWith('application/grpc')) return { reason: 'it speaks gRPC', advice: GRPC };
  const isPage =
    /^(text\/html|application\/xhtml\+xml)$/.test(type) || /^<(!doctype )?html/i.test(beginning);
  if (!isPage || status < 200 || status > 299) return undefined;
  return {
    reason: `it answered ${status} with a web page, so it is not a collector`,
    advice: `${ENDPOINT} A proxy or a login page may be in the way.`,
  };
}
