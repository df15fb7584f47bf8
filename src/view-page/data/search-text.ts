/*
 * What is typed into the search field, and what it asks for:
 *
 *   service:shop operation:"GET /orders" error duration>50 duration<2s db.system.name=postgresql sofa
 *
 * What is none of these words is text to be found anywhere.
 */

export interface Filter {
  service?: string;
  operation?: string;
  /** `key=value` or `key=`, which any value fits. */
  attributes: string[];
  minDuration?: number;
  maxDuration?: number;
  error?: boolean;
  text?: string;
}

const WORD = /(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/g;

export function parseSearch(text: string): Filter {
  const filter: Filter = { attributes: [] };
  const rest: string[] = [];
  for (const [word] of text.matchAll(WORD)) {
    const duration = /^duration([<>])=?([\d.]+)(us|µs|ms|s|m)?$/i.exec(word);
    const named = /^(service|operation|error):(.+)$/is.exec(word);
    const attribute = /^([^\s="]+)=(.*)$/s.exec(word);
    if (duration) {
      const [, sign, amount, unit] = duration;
      const ms = Number(amount) * (UNITS[(unit ?? 'ms').toLowerCase()] ?? 1);
      if (Number.isFinite(ms)) filter[sign === '>' ? 'minDuration' : 'maxDuration'] = ms;
    } else if (word.toLowerCase() === 'error') {
      filter.error = true;
    } else if (named) {
      const value = unquote(named[2] ?? '');
      const name = named[1]?.toLowerCase();
      if (name === 'error') filter.error = value !== 'false';
      else filter[name as 'service' | 'operation'] = value;
    } else if (attribute) {
      const value = unquote(attribute[2] ?? '');
      filter.attributes.push(value === '' ? (attribute[1] ?? '') : `${attribute[1]}=${value}`);
    } else {
      rest.push(unquote(word));
    }
  }
  if (rest.length > 0) filter.text = rest.join(' ');
  return filter;
}

const UNITS: Record<string, number> = { us: 0.001, µs: 0.001, ms: 1, s: 1000, m: 60_000 };

export function searchText(filter: Filter): string {
  const words: string[] = [];
  if (filter.service !== undefined) words.push(`service:${quote(filter.service)}`);
  if (filter.operation !== undefined) words.push(`operation:${quote(filter.operation)}`);
  if (filter.error !== undefined) words.push(filter.error ? 'error' : 'error:false');
  if (filter.minDuration !== undefined) words.push(`duration>${filter.minDuration}`);
  if (filter.maxDuration !== undefined) words.push(`duration<${filter.maxDuration}`);
  for (const attribute of filter.attributes) {
    const at = attribute.indexOf('=');
    words.push(
      at === -1 ? `${attribute}=` : `${attribute.slice(0, at)}=${quote(attribute.slice(at + 1))}`,
    );
  }
  if (filter.text !== undefined)
    words.push(/[=:"<>]/.test(filter.text) ? JSON.stringify(filter.text) : filter.text);
  return words.join(' ');
}

function quote(text: string): string {
  return /^[^\s"]+$/.test(text) ? text : JSON.stringify(text);
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1');
}
