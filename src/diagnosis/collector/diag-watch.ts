import type { Frame } from '../record.ts';
import { onApiRegistry, type ApiRegistry } from './api-registry.ts';
import { captureStack, readFrames } from './stack.ts';

/*
 * Reads OpenTelemetry's warnings, which go to a logger that most applications never set, so that
 * they are lost. The doctor reads them whether or not a logger is set, and passes them on as
 * before.
 */

const LEVELS = ['error', 'warn', 'info', 'debug', 'verbose'] as const;
type Level = (typeof LEVELS)[number];
type Logger = Record<Level, (...args: unknown[]) => void>;

const REFUSED = /Attempted duplicate registration of API: (\w+)/;
const MISMATCH =
  /Registration of version v(\S+) for (\w+) does not match previously registered API v([\w.-]+)/;
const EXPORT_FAILED = /OTLPExporterError|UNAVAILABLE|ECONNREFUSED|ENOTFOUND/;
/** What the export of metrics and logs writes, and the packages in its stacks. */
const OTHER_SIGNAL =
  /\bmetrics (?:export|collection)|\blog records?\b|[\\/](?:sdk|exporter)-(?:metrics|logs)\b/i;
const TRACES = /[\\/]sdk-trace/;
/** The number of reads without a logger after which none is expected. */
const MAX_READS = 2000;
const MAX_HEARD = 100;
const MAX_LENGTH = 2000;

/** The problems of the set-up that OpenTelemetry's messages report. */
export class DiagWatch {
  /** The parts that were registered a second time, and where. */
  readonly refused: Map<string, readonly Frame[]> = new Map();
  /** Versions of API copies whose registration was refused, with the registered version. */
  readonly mismatched: Map<string, string> = new Map();
  exportFailures = 0;
  /** The first failure of an export, as the exporter reported it. */
  exportReason: string | undefined;
  readonly #tee: Logger;
  #given: Partial<Logger> | undefined;
  #registry: ApiRegistry | undefined;
  #reads = 0;
  #undo: (() => void) | undefined;

  constructor() {
    const tee = {} as Logger;
    for (const level of LEVELS) {
      tee[level] = (...args) => {
        this.#hear(level, args);
        this.#given?.[level]?.(...args);
      };
    }
    this.#tee = tee;
  }

  start(): void {
    this.#undo = onApiRegistry((registry) => this.#watch(registry));
  }

  stop(): void {
    this.#undo?.();
    const registry = this.#registry;
    this.#registry = undefined;
    if (!registry || Object.getOwnPropertyDescriptor(registry, 'diag')?.get === undefined) return;
    Reflect.deleteProperty(registry, 'diag');
    if (this.#given !== undefined) registry.diag = this.#given;
  }

  #watch(registry: ApiRegistry): void {
    this.#registry = registry;
    this.#given = registry.diag as Partial<Logger> | undefined;
    const read = (): unknown => this.#read(read);
    Object.defineProperty(registry, 'diag', {
      configurable: true,
      enumerable: true,
      get: read,
      set: (logger: Partial<Logger> | undefined) => {
        this.#given = logger;
      },
    });
  }

  #read(below: () => unknown): unknown {
    if (this.#given !== undefined) return this.#tee;
    if (++this.#reads > MAX_READS) return undefined;
    // Code that sets a logger first looks for one that it replaces.
    const isSetting = readFrames(captureStack(below), 6).some(({ fn }) => fn === 'setLogger');
    return isSetting ? undefined : this.#tee;
  }

  #hear(level: Level, args: readonly unknown[]): void {
    if (level !== 'error') return;
    try {
      const text = args.filter((arg) => typeof arg === 'string').join(' ');
      this.#hearError(text.slice(0, MAX_LENGTH));
    } catch {
      // Must not throw into the application.
    }
  }

  #hearError(text: string): void {
    const refused = REFUSED.exec(text)?.[1];
    if (refused && this.refused.size < MAX_HEARD && !this.refused.has(refused)) {
      this.refused.set(refused, here());
    }
    const [, holds, , own] = MISMATCH.exec(text) ?? [];
    if (holds && own && this.mismatched.size < MAX_HEARD) this.mismatched.set(own, holds);
    if (!EXPORT_FAILED.test(text) || isOtherSignal(text)) return;
    this.exportFailures++;
    this.exportReason ??= reasonIn(text);
  }
}

/** Whether metrics or logs could not be exported, which says nothing about spans. */
function isOtherSignal(text: string): boolean {
  if (OTHER_SIGNAL.test(text)) return true;
  const files = here().map(({ file }) => file);
  return files.some((file) => OTHER_SIGNAL.test(file)) && !files.some((file) => TRACES.test(file));
}

const here = (): readonly Frame[] => readFrames(captureStack());

/** Returns the reason in an error that was logged as JSON, or the beginning of its text. */
function reasonIn(text: string): string {
  const message = /"message":"([^"\\]{1,120})/.exec(text)?.[1];
  const code = /"code":"?([\w-]{1,40})/.exec(text)?.[1];
  return [message, code].filter(Boolean).join(' ') || (text.split('\n', 1)[0] ?? '').slice(0, 120);
}
