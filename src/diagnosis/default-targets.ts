const OTLP = [
  'OTEL_TRACES_EXPORTER',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
];
/** Where exporters send if nothing is configured, and the variables that would configure it. */
const DEFAULTS: readonly { at: RegExp; variables: readonly string[] }[] = [
  {
    at: /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):4318\/v1\/traces\/?(?: |$)/,
    variables: OTLP,
  },
  // Of an export over gRPC only the reason tells where it went.
  {
    at: /^the collector .*(?:127\.0\.0\.1|::1\]?):431[78]\b/,
    variables: OTLP,
  },
  {
    at: /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):8126\/v0\.\d\/traces\/?(?: |$)/,
    variables: [
      'DD_TRACE_AGENT_URL',
      'DD_AGENT_HOST',
      'DD_TRACE_AGENT_HOSTNAME',
      'DD_TRACE_AGENT_PORT',
    ],
  },
];

/**
 * Whether spans go to a default address because no variable names another one or an exporter. A
 * machine without a collector is then no fault for sure: nobody said that it has one.
 */
export function isDefaultTarget(
  { target, reason }: { target: string; reason: string },
  env: Readonly<NodeJS.ProcessEnv>,
): boolean {
  const text = `${target} ${reason}`;
  return DEFAULTS.some(
    ({ at, variables }) => at.test(text) && variables.every((name) => !env[name]?.trim()),
  );
}
