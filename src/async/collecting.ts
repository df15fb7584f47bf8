/*
 * What the async-resource tracer and the rest of the package, which knows nothing of it, have to tell
 * each other: whether records are being made, for what needs no resource of its own to keep a context
 * makes one only then, to be seen; and which resources are ours alone.
 */
let collectors = 0;

export function isCollecting(): boolean {
  return collectors > 0;
}

/** Says that records are made from now on; returns how to say that they no longer are. */
export function startCollecting(): () => void {
  collectors++;
  let isOver = false;
  return () => {
    if (!isOver) collectors--;
    isOver = true;
  };
}

/**
 * The base of what the tracer keeps in an `AsyncLocalStorage` of its own. It is no context of the
 * application: where nothing else is active, no context is.
 */
// oxlint-disable-next-line typescript/no-extraneous-class
export class TracerState {}

const hidden = new WeakSet<object>();

/** Keeps an async resource of ours, which others run in, out of all records. Returns it. */
export function hideFromRecords<Resource extends object>(resource: Resource): Resource {
  hidden.add(resource);
  return resource;
}

export function isHiddenFromRecords(resource: object): boolean {
  return hidden.has(resource);
}
