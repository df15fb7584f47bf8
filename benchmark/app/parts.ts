import { clew, EXACT, VARIANTS, type Variant } from './variants.ts';

/*
 * The service with one more part of clew at work in each variant, by settings that everyone has: the
 * difference to the variant before is what the part costs.
 */
const NO_ATTRIBUTES = { OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '0' };
const NOT_SENT = { OTEL_TRACES_EXPORTER: 'none' };

const of = (instrumentations: string): Variant =>
  clew({ ...NO_ATTRIBUTES, ...NOT_SENT, OTEL_NODE_ENABLED_INSTRUMENTATIONS: instrumentations }, 0);

export const PARTS: Readonly<Record<string, Variant>> = {
  bare: VARIANTS['bare']!,
  // A name that the variable knows and clew has no instrumentation for.
  'contexts and rules': of('dns'),
  "the request's span": of('http'),
  'its route': of('http,express'),
  'the spans of three operations': clew({ ...NO_ATTRIBUTES, ...NOT_SENT }, 0),
  'attributes of the spans': clew(NOT_SENT, 0),
  'encoding and sending': clew({}, EXACT),
};
