import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { ClewError, messageOf } from '../base/errors.ts';
import { readSwitch, SettingsReader, type Environment } from '../base/settings-reader.ts';
import { DEFAULT_URL, type DeliveryOptions } from './options.ts';
import { readPem } from './pem-file.ts';

/** Options read from the environment, and the problems found there. */
export interface DeliverySettings {
  options: DeliveryOptions & { url: string };
  problems: ClewError[];
}

/**
 * Reads `OTEL_EXPORTER_OTLP_*`, `OTEL_BSP_*`, `CLEW_SPOOL*` and `CLEW_EXPORT_*`.
 *
 * The only side effect is reading the certificate files. Variables for traces alone
 * (`OTEL_EXPORTER_OTLP_TRACES_*`) take precedence, and an empty value counts as unset. An invalid
 * value is reported in `problems` and the default is used.
 */
export function readDeliveryOptions(env: Environment): DeliverySettings {
  const reader = new SettingsReader(env);
  const options: DeliverySettings['options'] = { url: readTracesUrl(reader) };
  setDefined(options, {
    protocol: readProtocol(reader),
    compression: choiceOfSignal(reader, 'COMPRESSION', ['gzip', 'none']),
    timeoutMillis: orForever(reader.wholeNumber(ofSignal(reader, 'TIMEOUT'))),
    headers: readHeaders(reader),
    tls: readTls(reader),
    scheduleDelayMillis: atLeast(1, reader.wholeNumber('OTEL_BSP_SCHEDULE_DELAY')),
    maxQueueSpans: reader.wholeNumber('OTEL_BSP_MAX_QUEUE_SIZE', 1),
    maxBatchSpans: reader.wholeNumber('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1),
    flushTimeoutMillis: orForever(reader.wholeNumber('OTEL_BSP_EXPORT_TIMEOUT')),
    spool: readSpool(reader, env),
    spoolMaxBytes: reader.wholeNumber('CLEW_SPOOL_MAX_BYTES', 1),
    spoolMaxAgeMillis: reader.wholeNumber('CLEW_SPOOL_MAX_AGE', 1),
    maxQueueBytes: reader.wholeNumber('CLEW_EXPORT_MAX_QUEUE_BYTES', 1),
    onOverflow: optional(reader, 'CLEW_EXPORT_ON_OVERFLOW', [
      'drop-oldest',
      'drop-newest',
      'block',
    ]),
    exitStallMillis: reader.wholeNumber('CLEW_EXPORT_EXIT_WAIT', 1),
    thread: readThread(reader),
  });
  return { options, problems: reader.problems };
}

const TRACES_PATH = '/v1/traces';

/**
 * The path for traces below a base URL. A URL that names it already, as many people write it, is left
 * as it is.
 */
export function tracesUrlBelow(base: URL): string {
  const url = new URL(base);
  const path = url.pathname.replace(/\/$/, '');
  url.pathname = path.endsWith(TRACES_PATH) ? path : `${path}${TRACES_PATH}`;
  return url.href;
}

/** A URL for one signal is used as it is; a path is added to a base URL. */
function readTracesUrl(reader: SettingsReader): string {
  const traces = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  const base = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const verbatim = reader.url(traces, reader.text(traces));
  if (verbatim) return verbatim.href;
  const url = reader.url(base, reader.text(base));
  return url ? tracesUrlBelow(url) : DEFAULT_URL;
}

/**
 * The folder for this user's spools if the value is only "on". It is never shared with other users.
 */
export function defaultSpoolFolder(env: Environment): string {
  const state = env['XDG_STATE_HOME'];
  if (state && isAbsolute(state)) return join(state, 'clew', 'spool');
  const local = env['LOCALAPPDATA'];
  if (process.platform === 'win32' && local) return join(local, 'clew', 'spool');
  return join(homedir(), '.local', 'state', 'clew', 'spool');
}

function setDefined(
  options: DeliveryOptions,
  values: { [Name in keyof DeliveryOptions]?: unknown },
): void {
  const defined = Object.entries(values).filter(([, value]) => value !== undefined);
  Object.assign(options, Object.fromEntries(defined));
}

/**
 * Returns the name of the variable for traces if it is set, otherwise that of the one for all
 * signals.
 */
function ofSignal(reader: SettingsReader, suffix: string): string {
  const traces = `OTEL_EXPORTER_OTLP_TRACES_${suffix}`;
  return reader.text(traces) === undefined ? `OTEL_EXPORTER_OTLP_${suffix}` : traces;
}

function choiceOfSignal<Value extends string>(
  reader: SettingsReader,
  suffix: string,
  values: readonly Value[],
): Value | undefined {
  return optional(reader, ofSignal(reader, suffix), values);
}

function optional<Value extends string>(
  reader: SettingsReader,
  variable: string,
  values: readonly Value[],
): Value | undefined {
  if (reader.text(variable) === undefined) return undefined;
  const unset = '' as Value;
  return reader.choice(variable, values, unset) || undefined;
}

function atLeast(least: number, value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.max(least, value);
}

/** A timeout of 0 means none; the longest a timer can run is 24 days. */
function orForever(millis: number | undefined): number | undefined {
  return millis === 0 ? 2 ** 31 - 1 : millis;
}

function readProtocol(reader: SettingsReader): DeliveryOptions['protocol'] {
  const variable = ofSignal(reader, 'PROTOCOL');
  if (reader.text(variable)?.toLowerCase() !== 'grpc') {
    return optional(reader, variable, ['http/protobuf', 'http/json']);
  }
  reader.problems.push(
    new ClewError(
      'ERR_OPTION',
      `\`${variable}\` is \`grpc\`, which is not supported; http/protobuf is used. Collectors accept it on port 4318, not 4317.`,
    ),
  );
  return undefined;
}

/** Merges the headers of both variables; those for traces take precedence. */
function readHeaders(reader: SettingsReader): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const variable of ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS']) {
    for (const [name, value] of Object.entries(readPairs(reader, variable))) {
      headers[name.toLowerCase()] = value;
    }
  }
  return Object.keys(headers).length > 0 ? headers : undefined;
}

/** Like `pairs`, but a value may hold `=`, as base64 does, and has to fit into a header. */
function readPairs(reader: SettingsReader, variable: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of reader.text(variable)?.split(',') ?? []) {
    const [name = '', ...rest] = pair.split('=');
    const key = name.trim();
    const value = decode(rest.join('=').trim());
    const fits =
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(key) && /^[\t\x20-\x7e]*$/.test(value ?? '\0');
    if (fits && rest.length > 0 && value !== undefined) pairs[key] = value;
    else if (pair.trim() !== '') {
      // The value may be a secret, so only its position is reported.
      const expected = 'a list of name=value, but a part of it is not; that part is ignored';
      reader.problems.push(
        new ClewError('ERR_OPTION', `Expected \`${variable}\` to be ${expected}.`),
      );
    }
  }
  return pairs;
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function readTls(reader: SettingsReader): DeliveryOptions['tls'] {
  const tls: NonNullable<DeliveryOptions['tls']> = {};
  for (const [part, suffix] of [
    ['ca', 'CERTIFICATE'],
    ['cert', 'CLIENT_CERTIFICATE'],
    ['key', 'CLIENT_KEY'],
  ] as const) {
    const variable = ofSignal(reader, suffix);
    const path = reader.text(variable);
    if (path === undefined) continue;
    try {
      tls[part] = readPem(path, part === 'key' ? 'private key' : 'certificate');
    } catch (error) {
      reader.problems.push(new ClewError('ERR_OPTION', `\`${variable}\` ${messageOf(error)}.`));
    }
  }
  const { cert, key } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ['KEY', 'CERTIFICATE'] : ['CERTIFICATE', 'KEY'];
    const names = `\`${ofSignal(reader, `CLIENT_${has}`)}\` needs \`${ofSignal(reader, `CLIENT_${lacks}`)}\``;
    const message = `${names} beside it; no client certificate is used.`;
    reader.problems.push(new ClewError('ERR_OPTION', message));
    delete tls.cert;
    delete tls.key;
  }
  return Object.keys(tls).length > 0 ? tls : undefined;
}

function readSpool(reader: SettingsReader, env: Environment): string | undefined {
  const value = reader.text('CLEW_SPOOL');
  const isOn = value === undefined ? false : readSwitch(value);
  if (isOn !== undefined || value === undefined) return isOn ? defaultSpoolFolder(env) : undefined;
  if (isAbsolute(value)) return value;
  reader.refuse('CLEW_SPOOL', 'on, off or an absolute path', value, 'there is no spool');
  return undefined;
}

function readThread(reader: SettingsReader): boolean | undefined {
  const value = optional(reader, 'CLEW_EXPORT_THREAD', ['on', 'off']);
  return value === undefined ? undefined : value === 'on';
}
