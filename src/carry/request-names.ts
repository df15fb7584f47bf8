/*
 * The name that the span of a request will have, as far as its route is known before it ends. Names
 * are kept only on demand: the tracer uses them to name the request that holds the event loop.
 */
const names = new WeakMap<object, string>();
let askers = 0;

/** Starts keeping names. Returns a function that stops it. */
export function askForNames(): () => void {
  askers++;
  let isOver = false;
  return () => {
    if (!isOver) askers--;
    isOver = true;
  };
}

/** Notes what a request is called by its method and route; without a route it has no name yet. */
export function noteName(span: object, method: string, route: string | undefined): void {
  if (askers === 0) return;
  if (route === undefined) names.delete(span);
  else names.set(span, `${method} ${route}`);
}

/** The name that was noted last. */
export function notedName(span: object): string | undefined {
  return names.get(span);
}
