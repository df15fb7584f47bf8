/** Undici's request, as its channels show it: since 6 the headers are a list, before they were text. */
export interface UndiciRequest {
  readonly method: string;
  readonly path: string;
  readonly origin: string | URL | undefined;
  readonly upgrade?: unknown;
  readonly host?: string | null;
  headers: string | (string | string[])[];
}

/** Sets a header, in place of those with its name: undici would send both. */
export function setUndiciHeader(request: UndiciRequest, name: string, value: string): void {
  removeUndiciHeaders(request, new Set([name.toLowerCase()]));
  const { headers } = request;
  if (typeof headers === 'string') request.headers = `${headers}${name}: ${value}\r\n`;
  else if (Array.isArray(headers)) headers.push(name, value);
}

/** Removes the headers whose names in lower case are in `names`. */
export function removeUndiciHeaders(request: UndiciRequest, names: ReadonlySet<string>): void {
  const { headers } = request;
  if (typeof headers === 'string') {
    const lines = headers.split('\r\n');
    const others = lines.filter((line) => !names.has(nameOf(line)));
    if (others.length < lines.length) request.headers = others.join('\r\n');
  } else if (Array.isArray(headers)) {
    for (let index = headers.length - 2; index >= 0; index -= 2) {
      if (names.has(String(headers[index]).toLowerCase())) headers.splice(index, 2);
    }
  }
}

/** Returns a header by its name in lower case. */
export function undiciHeader(
  { headers, host }: UndiciRequest,
  name: string,
): string | string[] | undefined {
  if (name === 'host' && typeof host === 'string') return host;
  if (typeof headers === 'string') {
    const line = headers.split('\r\n').find((each) => nameOf(each) === name);
    return line?.slice(line.indexOf(':') + 1).trim();
  }
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (String(headers[index]).toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}

/** Returns a header of a response, whose headers are buffers in a list. */
export function responseHeader(headers: unknown, name: string): string | undefined {
  if (!Array.isArray(headers)) return undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (textOf(headers[index]).toLowerCase() === name) return textOf(headers[index + 1]);
  }
  return undefined;
}

const nameOf = (line: string): string =>
  line.slice(0, Math.max(line.indexOf(':'), 0)).toLowerCase();

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}
