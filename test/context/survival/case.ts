/** Called in each callback and each continuation of a case, with what it is called in. */
export type Probe = (where: string) => void;

/**
 * An asynchronous source. It is called under a context and probes wherever it is called back; the
 * promise it returns settles when nothing more will come.
 */
export type Source = (probe: Probe) => unknown;

/** Sources by name. A name that this Node does not have is left out. */
export type Sources = Record<string, Source | undefined>;
