import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/*
 * Watches the outcome of requests that export spans. Nothing else reports it: a refused exporter
 * writes to a logger that most applications have not set.
 */

/** The paths at which collectors accept spans: OTLP, dd-trace, Zipkin. */
const INTAKE = /\/v1\/traces\/?$|\/v0\.\d\/traces\/?$|\/api\/v[12]\/spans\/?$/;
/** Nothing listens there. */
const ABSENT = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/;
const MAX_TARGETS = 20;

interface ClientRequest {
  host?: string;
  path?: string;
  protocol?: string;
  getHeader?(name: string): string | undefined;
}
interface Response {
  statusCode?: number;
  headers?: Record<string, unknown>;
}

export interface ExportTarget {
  /** Without credentials and query. */
  readonly target: string;
  accepted: number;
  failed: number;
  /** The last failure. */
  reason: string;
  /** Whether nothing responded in any of the failures. */
  isAbsent: boolean;
}

export class ExportWatch {
  readonly #targets = new Map<string, ExportTarget>();
  readonly #channels: Readonly<Record<string, (message: unknown) => void>> = {
    'http.client.response.finish': (message) => {
      const { request, response } = message as { request: ClientRequest; response: Response };
      this.#answered(targetOf(request), response.statusCode, response.headers?.['content-type']);
    },
    'http.client.request.error': (message) => {
      const { request, error } = message as { request: ClientRequest; error: unknown };
      this.#failed(targetOf(request), error);
    },
    'undici:request:headers': (message) => {
      const { request, response } = message as {
        request: UndiciRequest;
        response: { statusCode?: number };
      };
      this.#answered(targetOfUndici(request), response.statusCode, undefined);
    },
    'undici:request:error': (message) => {
      const { request, error } = message as { request: UndiciRequest; error: unknown };
      this.#failed(targetOfUndici(request), error);
    },
  };

  start(): void {
    for (const [name, heard] of Object.entries(this.#guarded)) subscribe(name, heard);
  }

  stop(): void {
    for (const [name, heard] of Object.entries(this.#guarded)) unsubscribe(name, heard);
  }

  get targets(): readonly ExportTarget[] {
    return [...this.#targets.values()];
  }

  readonly #guarded = Object.fromEntries(
    Object.entries(this.#channels).map(([name, heard]) => [
      name,
      (message: unknown): void => {
        try {
          heard(message);
        } catch {
          // Must not throw into the application.
        }
      },
    ]),
  );

  #answered(target: string | undefined, status = 0, type: unknown): void {
    const known = this.#of(target);
    if (!known) return;
    // A user interface responds to every request with a page.
    const isPage = typeof type === 'string' && type.startsWith('text/html');
    if (status < 400 && !isPage) {
      known.accepted++;
      return;
    }
    known.failed++;
    known.isAbsent = false;
    known.reason = status < 400 ? `it answers ${status} with a page of HTML` : `status ${status}`;
  }

  #failed(target: string | undefined, error: unknown): void {
    const known = this.#of(target);
    if (!known) return;
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    // The codes of a `DOMException` and of some clients are numbers.
    const text = [code, message].find((each) => typeof each === 'string');
    const reason = (text ?? 'no answer').slice(0, 100);
    known.failed++;
    known.isAbsent &&= ABSENT.test(reason);
    known.reason = reason;
  }

  #of(target: string | undefined): ExportTarget | undefined {
    if (target === undefined) return undefined;
    let known = this.#targets.get(target);
    if (!known && this.#targets.size < MAX_TARGETS) {
      known = { target, accepted: 0, failed: 0, reason: '', isAbsent: true };
      this.#targets.set(target, known);
    }
    return known;
  }
}

function targetOf(request: ClientRequest): string | undefined {
  const path = request.path?.replace(/[?#].*$/, '') ?? '';
  if (!INTAKE.test(path)) return undefined;
  const host = request.getHeader?.('host') ?? request.host ?? '';
  return `${request.protocol ?? 'http:'}//${host}${path}`;
}

interface UndiciRequest {
  origin?: string | URL;
  path?: string;
}

function targetOfUndici({ origin, path = '' }: UndiciRequest): string | undefined {
  const plain = path.replace(/[?#].*$/, '');
  return INTAKE.test(plain) ? `${new URL(String(origin)).origin}${plain}` : undefined;
}
