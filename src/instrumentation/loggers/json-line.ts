/** Puts fields at the end of a JSON line, but for those that it has. */
export function withJsonFields(line: string, fields: readonly [string, string][]): string {
  const end = line.lastIndexOf('}');
  if (end === -1) return line;
  let added = '';
  for (const [name, value] of fields) {
    const key = `${JSON.stringify(name)}:`;
    if (!hasField(line, name, key)) added += `,${key}"${value}"`;
  }
  if (line[end - 1] === '{') added = added.slice(1);
  return line.slice(0, end) + added + line.slice(end);
}

/** Searching for the text is cheap, and only where it is found must the line be read. */
function hasField(line: string, name: string, key: string): boolean {
  if (!line.includes(key)) return false;
  try {
    return Object.hasOwn(JSON.parse(line) as object, name);
  } catch {
    return true;
  }
}
