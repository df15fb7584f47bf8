/*
 * Attributes by which clew's spans tell where their time went; docs/tracer.md has them for readers.
 */
export const RUN_MS = 'clew.run.ms';
export const WAIT_IO_MS = 'clew.wait.io.ms';
export const WAIT_LOOP_MS = 'clew.wait.loop.ms';
export const BLOCKED_BY = 'clew.blocked_by';
export const BLOCKED_BY_MS = 'clew.blocked_by.ms';
/** On the span of a request: when it held the loop, when others did, and who they were. */
export const RUN_AT = 'clew.run.at';
export const WAIT_LOOP_AT = 'clew.wait.loop.at';
export const WAIT_LOOP_BY = 'clew.wait.loop.by';
/** On the root span of what a recording has beside its requests. */
export const OUTSIDE = 'clew.outside';
/** On links: why the other span is linked to. */
export const LINK = 'clew.link';
/** The name of the doctor's finding, on spans that lost their parent and on the request's root. */
export const CONTEXT_LOSS = 'clew.context_loss';
/** What the spans of async resources say begins with it. */
export const ASYNC_RESOURCE = 'clew.async_resource.';
