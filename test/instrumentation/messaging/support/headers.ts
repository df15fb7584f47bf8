/** What a consumer sees of headers, apart from those that carry a trace. */
export function withoutOurs(headers: object | undefined): Record<string, unknown> | undefined {
  if (headers === undefined) return undefined;
  const {
    traceparent: _parent,
    tracestate: _state,
    ...others
  } = headers as Record<string, unknown>;
  return others;
}
