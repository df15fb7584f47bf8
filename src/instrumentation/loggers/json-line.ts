import type { LogField } from './log-fields.ts';

/** Puts fields at the end of a JSON line, but for those that it has. */
export function withJsonFields(line: string, fields: readonly LogField[]): string {
  const end = line.lastIndexOf('}');
  if (end === -1) return line;
  let added = '';
  for (const field of fields) {
    if (!hasField(line, field)) added += `,${field.jsonName}"${field.value}"`;
  }
  if (line[end - 1] === '{') added = added.slice(1);
  return line.slice(0, end) + added + line.slice(end);
}

/** Searching for the text is cheap, and only where it is found must the line be read. */
function hasField(line: string, { name, jsonName }: LogField): boolean {
  if (!line.includes(jsonName)) return false;
  try {
    return Object.hasOwn(JSON.parse(line) as object, name);
  } catch {
    return true;
  }
}
