/** The function that answers a request: only its name is read. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Handler = (...args: any[]) => unknown;

/** The name of a function as it was written; empty where it has none. */
export function nameOf(handler: Handler): string {
  try {
    const { name } = handler;
    return typeof name === 'string' ? name.replace(/^bound /, '') : '';
  } catch {
    return '';
  }
}
