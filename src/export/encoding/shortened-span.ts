import type { AttributeValue, Attributes } from '@opentelemetry/api';

import type { EndedSpan } from './span-shape.ts';

/** The longest text of a shortened span, in characters. */
export const MAX_TEXT = 16_384;

/** A copy of a span that is too long to be sent: texts of its attributes, and of its status, are cut. */
export function shortenedSpan(span: EndedSpan): EndedSpan {
  const { code, message } = span.status;
  return {
    name: cut(span.name),
    kind: span.kind,
    spanContext: () => span.spanContext(),
    parentSpanContext: span.parentSpanContext,
    startTime: span.startTime,
    endTime: span.endTime,
    status: message === undefined ? { code } : { code, message: cut(message) },
    attributes: shortened(span.attributes),
    links: span.links.map(withShortened),
    events: span.events.map(withShortened),
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

function withShortened<Part extends { attributes?: Attributes }>(part: Part): Part {
  return part.attributes ? { ...part, attributes: shortened(part.attributes) } : part;
}

function shortened(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, value && shortenedValue(value)]),
  );
}

function shortenedValue(value: AttributeValue): AttributeValue {
  if (typeof value === 'string') return cut(value);
  if (!Array.isArray(value)) return value;
  return value.map((item) => (typeof item === 'string' ? cut(item) : item)) as AttributeValue;
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
