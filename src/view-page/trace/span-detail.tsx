import type { ComponentChildren } from 'preact';

import type { Attribute } from '../../viewer/model.ts';
import type { EventView, LinkView, SpanView, TraceView } from '../../viewer/trace-model.ts';
import { count, duration, valueText } from '../base/format.ts';
import { PartsBar, partsText } from '../base/parts-bar.tsx';
import { useKeys } from '../base/use-keys.ts';
import { go } from '../data/route.ts';
import { searchText } from '../data/search-text.ts';
import { FindingCard } from '../findings/finding-card.tsx';

interface SpanDetailProps {
  trace: TraceView;
  span: SpanView;
  onClose: () => void;
  onSpan: (id: string) => void;
}

/** All that a span says. */
export function SpanDetail({ trace, span, onClose, onSpan }: SpanDetailProps) {
  useKeys({ Escape: onClose });
  const resource = trace.resources[span.resource];
  const scope = trace.scopes[span.scope];
  const ms = (span.end - span.start) / 1000;
  const { dropped } = span;
  return (
    <aside class="detail" aria-label={`Span ${span.name}`} tabIndex={0}>
      <header class="detail-head">
        <h2>{span.name}</h2>
        <button type="button" class="button icon" aria-label="Close the span" onClick={onClose}>
          ×
        </button>
      </header>
      <p class="detail-facts">
        <span>{span.kind.toLowerCase()}</span> · <span>{span.service}</span> ·{' '}
        <span class="tnum">{duration(ms)}</span>{' '}
        <span class="quiet">from {duration(span.start / 1000)}</span>
      </p>
      {span.parts && (
        <div class="detail-parts">
          <PartsBar parts={span.parts} durationMs={ms} scaleMs={ms} />
          <p class="quiet">{partsText(span.parts, span.blockedBy)}</p>
        </div>
      )}
      {span.status.code === 'ERROR' && (
        <p class="detail-error">
          <b>✕ Failed</b> {span.status.message}
        </p>
      )}
      {span.warnings.map((warning, index) => (
        <p key={index} class="detail-warning">
          <b>⚠ Warning</b> {warning}
        </p>
      ))}
      {span.findings.map((place) => {
        const finding = trace.findings[place];
        return finding && <FindingCard key={place} finding={finding} />;
      })}
      <Section title="Events" size={span.events.length}>
        {span.events.map((event, index) => (
          <EventEntry key={index} event={event} />
        ))}
      </Section>
      <Attributes title="Attributes" attributes={span.attributes} searchable />
      <Section title="Links" size={span.links.length}>
        <ul class="links">
          {span.links.map((link, index) => (
            <LinkEntry key={index} link={link} trace={trace} onSpan={onSpan} />
          ))}
        </ul>
      </Section>
      {resource && <Attributes title="Resource" attributes={resource.attributes} />}
      <Section title="Identity" size={1}>
        <dl class="attributes">
          <Pair name="span id" value={span.id} />
          <Pair name="parent" value={span.parentId ?? 'none: a root'} />
          <Pair name="trace id" value={trace.traceId} />
          {scope && <Pair name="scope" value={`${scope.name} ${scope.version ?? ''}`.trim()} />}
        </dl>
      </Section>
      {dropped && (
        <p class="quiet">
          Dropped by limits of the application before it was sent:{' '}
          {Object.entries(dropped)
            .map(([what, number]) => `${number} ${what}`)
            .join(', ')}
          .
        </p>
      )}
    </aside>
  );
}

function Section(props: { title: string; size: number; children: preact.ComponentChildren }) {
  if (props.size === 0) return null;
  return (
    <section class="detail-section">
      <h3>{props.title}</h3>
      {props.children}
    </section>
  );
}

interface AttributesProps {
  title: string;
  attributes: readonly Attribute[];
  searchable?: boolean;
}

function Attributes({ title, attributes, searchable = false }: AttributesProps) {
  return (
    <Section title={title} size={attributes.length}>
      <dl class="attributes">
        {attributes.map(([key, value], index) => (
          <Pair key={index} name={key} value={valueText(value)} searchable={searchable} />
        ))}
      </dl>
    </Section>
  );
}

/** A name that is broken after its dots, where it has to be. */
function breakable(name: string): ComponentChildren {
  return name.split(/(?<=[._])/).flatMap((part, index) => (index === 0 ? [part] : [<wbr />, part]));
}

function Pair(props: { name: string; value: string; searchable?: boolean }) {
  const { name, value, searchable = false } = props;
  return (
    <div class="pair">
      <dt>{breakable(name)}</dt>
      <dd>
        <span class="value">{value}</span>
        {searchable && value.length < 200 && (
          <button
            type="button"
            class="find"
            title={`Find requests with this ${name}`}
            aria-label={`Find requests with this ${name}`}
            onClick={() =>
              go({
                page: 'list',
                search: searchText({ attributes: [`${name}=${value}`] }),
                sort: 'newest',
              })
            }
          >
            <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
              <circle cx="5" cy="5" r="3.4" fill="none" stroke="currentColor" stroke-width="1.4" />
              <path d="m7.6 7.6 3 3" stroke="currentColor" stroke-width="1.4" />
            </svg>
          </button>
        )}
      </dd>
    </div>
  );
}

function EventEntry({ event }: { event: EventView }) {
  const { exception } = event;
  const rest = exception
    ? event.attributes.filter(([key]) => !key.startsWith('exception.'))
    : event.attributes;
  return (
    <div class={exception ? 'event-entry event-entry-bad' : 'event-entry'}>
      <p>
        <span class="tnum quiet">{duration(event.at / 1000)}</span> <b>{event.name}</b>
      </p>
      {exception && (
        <>
          <p class="bad">
            {exception.type}
            {exception.message !== undefined && `: ${exception.message}`}
          </p>
          {exception.stack !== undefined && (
            <pre class="stack" tabIndex={0} role="region" aria-label="Stack">
              {exception.stack}
            </pre>
          )}
        </>
      )}
      {rest.length > 0 && (
        <dl class="attributes">
          {rest.map(([key, value], index) => (
            <Pair key={index} name={key} value={valueText(value)} />
          ))}
        </dl>
      )}
    </div>
  );
}

const RELATIONS: Record<string, string> = {
  blocked_by: 'held up by',
  created_by: 'created in',
  request: 'of the request',
};

function LinkEntry(props: { link: LinkView; trace: TraceView; onSpan: (id: string) => void }) {
  const { link, trace, onSpan } = props;
  const { traceId, spanId, relation = '' } = link;
  const here = traceId === trace.traceId;
  const name = here ? trace.spans.find(({ id }) => id === spanId)?.name : undefined;
  const text = name ?? (here ? `span ${spanId}` : `trace ${traceId.slice(0, 8)}…, span ${spanId}`);
  return (
    <li>
      {RELATIONS[relation] ?? (relation || 'linked to')}{' '}
      {link.known ? (
        <button
          type="button"
          class="link"
          onClick={() =>
            here ? onSpan(spanId) : go({ page: 'trace', traceId, spanId, tab: 'waterfall' })
          }
        >
          {text}
        </button>
      ) : (
        <span>
          {text} <span class="quiet">(not here)</span>
        </span>
      )}
      {link.attributes.length > 1 && (
        <span class="quiet"> {count(link.attributes.length, 'attribute')}</span>
      )}
    </li>
  );
}
