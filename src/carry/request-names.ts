/*
 * What the span of a request will be called, as far as its route is known before it ends. It is kept
 * only where somebody asks, as the tracer does, which names who holds the event loop meanwhile.
 */
const names = new WeakMap<object, string>();
let askers = 0;

/** Asks that names are noted from now on; returns how to say that they no longer need be. */
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
