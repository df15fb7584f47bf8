import type { Attribute } from './model.ts';
import type { SpanView } from './trace-model.ts';
import { shortened } from './outline.ts';

/** A span with all that is known, and how much of it was left out for want of room. */
export interface BoundedSpan extends Omit<SpanView, 'resource' | 'scope'> {
  resourceAttributes: Attribute[];
  /** Attributes, events and links that did not fit. */
  omitted: number;
}

const MAX_TEXT = 1500;

/** A span in less than `maxBytes` of JSON: long texts are cut, and what does not fit is counted. */
export function boundedSpan(
  span: SpanView,
  resource: readonly Attribute[],
  maxBytes: number,
): BoundedSpan {
  const { resource: _resource, scope: _scope, ...rest } = span;
  const bounded: BoundedSpan = {
    ...rest,
    name: shortened(span.name, 200),
    status: {
      ...span.status,
      ...(span.status.message ? { message: shortened(span.status.message, 500) } : {}),
    },
    warnings: span.warnings.slice(0, 5).map((warning) => shortened(warning, 200)),
    critical: span.critical.slice(0, 20),
    attributes: [],
    events: [],
    links: [],
    resourceAttributes: [],
    omitted: 0,
  };
  if (bounded.blockedBy) {
    bounded.blockedBy = { ...bounded.blockedBy, name: shortened(bounded.blockedBy.name) };
  }
  let room = maxBytes - JSON.stringify(bounded).length;
  const take = <Item>(list: Item[], item: Item): void => {
    const bytes = JSON.stringify(item).length + 1;
    if (bytes > room) bounded.omitted += 1;
    else {
      room -= bytes;
      list.push(item);
    }
  };
  for (const attribute of span.attributes) take(bounded.attributes, cut(attribute));
  for (const event of span.events) {
    const { exception, ...own } = event;
    const attributes = event.attributes.map(cut);
    // The stack stands among the attributes already.
    take(bounded.events, {
      ...own,
      attributes,
      ...(exception?.type ? { exception: { type: exception.type } } : {}),
    });
  }
  for (const link of span.links)
    take(bounded.links, { ...link, attributes: link.attributes.map(cut) });
  for (const attribute of resource) take(bounded.resourceAttributes, cut(attribute));
  return bounded;
}

function cut([key, value]: Attribute): Attribute {
  if (typeof value === 'string') return [shortened(key), shortened(value, MAX_TEXT)];
  const text = JSON.stringify(value);
  return [shortened(key), text.length > MAX_TEXT ? shortened(text, MAX_TEXT) : value];
}
