/** The path without its query, each segment that looks like a value replaced by `{n}`. */
export function templateOf(url: string): string {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, '').split(/[?#]/, 1)[0] ?? '/';
  return path
    .split('/')
    .slice(0, 12)
    .map((segment) => (isValue(segment) ? '{n}' : segment))
    .join('/')
    .slice(0, 120);
}

function isValue(segment: string): boolean {
  return /\d/.test(segment)
    ? !/^v\d{1,2}$/.test(segment)
    : segment.length > 24 || /[%@=:;,~]/.test(segment);
}
