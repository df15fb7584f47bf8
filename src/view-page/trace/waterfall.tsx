import { useMemo, useState } from 'preact/hooks';

import type { SpanView, TraceView } from '../../viewer/trace-model.ts';
import { count, duration } from '../base/format.ts';
import { PARTS, percent } from '../base/parts-bar.tsx';
import type { Scale } from '../base/scale.ts';
import { useKeys } from '../base/use-keys.ts';
import { narrow } from '../base/use-size.ts';
import { criticalPieces, threadPath } from './critical-thread.ts';
import { Minimap } from './minimap.tsx';
import { SpanDetail } from './span-detail.tsx';
import { lineOf, visibleSpans, wantsAttention } from './span-tree.ts';
import { Timeline, type View } from './timeline.tsx';

interface WaterfallProps {
  trace: TraceView;
  spanId: string | undefined;
  onSpan: (id: string | undefined) => void;
}

export function Waterfall({ trace, spanId, onSpan }: WaterfallProps) {
  const { spans } = trace;
  const whole: View = [0, Math.max(trace.duration, 1)];
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [zoomed, setView] = useState<View | undefined>();
  const view = zoomed ?? whole;
  const visible = useMemo(() => visibleSpans(spans, folded), [spans, folded]);
  const pieces = useMemo(() => criticalPieces(spans, visible), [spans, visible]);
  const places = useMemo(() => new Map(spans.map(({ id }, index) => [id, index])), [spans]);
  const selected = spanId === undefined ? undefined : places.get(spanId);
  const current = selected === undefined ? -1 : lineOf(visible, selected);
  const rowHeight = narrow.value ? 38 : 24;

  const fold = (span: SpanView, yes: boolean) => {
    const next = new Set(folded);
    if (yes && span.descendants > 0) next.add(span.id);
    else next.delete(span.id);
    setFolded(next);
  };
  const select = (index: number | undefined) => {
    const span = index === undefined ? undefined : spans[index];
    onSpan(span?.id);
    if (span) requestAnimationFrame(() => document.getElementById(`span-${span.id}`)?.focus());
  };
  const move = (by: number) =>
    select(visible[Math.max(0, Math.min(visible.length - 1, current + by))]);
  const zoomTo = ({ start, end }: SpanView) => {
    const margin = Math.max((end - start) * 0.05, 1);
    setView([Math.max(0, start - margin), Math.min(whole[1], end + margin)]);
  };
  const withSelected = (act: (span: SpanView) => void) => () => {
    const span = selected === undefined ? undefined : spans[selected];
    if (span) act(span);
  };
  const toParent = (span: SpanView) => {
    const parent = span.parentId === undefined ? undefined : places.get(span.parentId);
    if (parent !== undefined) select(parent);
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(20),
    PageUp: () => move(-20),
    Home: () => move(-Infinity),
    End: () => move(visible.length),
    ArrowLeft: withSelected((span) =>
      folded.has(span.id) || span.descendants === 0 ? toParent(span) : fold(span, true),
    ),
    ArrowRight: withSelected((span) => (folded.has(span.id) ? fold(span, false) : move(1))),
    z: withSelected(zoomTo),
    '0': () => setView(undefined),
    e: () => {
      const after = (selected ?? -1) + 1;
      const found = [...spans.keys()].map((index) => (index + after) % spans.length);
      const next = found.find((index) => spans[index] && wantsAttention(spans[index]));
      if (next !== undefined) {
        setFolded(new Set());
        select(next);
      }
    },
  });

  const span = selected === undefined ? undefined : spans[selected];
  return (
    <div class={span ? 'waterfall with-detail' : 'waterfall'}>
      <div class="waterfall-main">
        <Minimap
          spans={spans}
          duration={whole[1]}
          view={view}
          onView={([from, to]) =>
            setView(from <= 0 && to >= whole[1] ? undefined : [from, Math.max(to, from + 1)])
          }
        />
        <Legend trace={trace} />
        <Timeline
          label="Spans of the trace"
          columnTitle={count(spans.length, 'span')}
          count={visible.length}
          current={current}
          view={view}
          rowHeight={rowHeight}
          renderRow={(line, x) => {
            const index = visible[line] ?? 0;
            const one = spans[index];
            return (
              one && (
                <SpanRow
                  key={one.id + String(index)}
                  span={one}
                  line={line}
                  x={x}
                  current={line === current}
                  reachable={line === Math.max(0, current)}
                  folded={folded.has(one.id)}
                  showService={showsService(spans, index, places)}
                  onFold={() => fold(one, !folded.has(one.id))}
                  onSelect={() => onSpan(one.id)}
                  onZoom={() => zoomTo(one)}
                />
              )
            );
          }}
          drawing={(from, to, x) => (
            <path
              class="critical-thread"
              d={threadPath(pieces, x, {
                from,
                to,
                rowHeight,
                offset: narrow.value ? 33.5 : 18.5,
              })}
            />
          )}
        />
      </div>
      {span && (
        <SpanDetail
          key={span.id}
          trace={trace}
          span={span}
          onClose={() => onSpan(undefined)}
          onSpan={(id) => {
            setFolded(new Set());
            onSpan(id);
          }}
        />
      )}
    </div>
  );
}

/** What the bars and the line are, but for what the head of the page explains already. */
function Legend({ trace: { spans, request } }: { trace: TraceView }) {
  const hasParts = spans.some(({ parts }) => parts);
  const isPartial = spans.some(({ parts }) => !parts);
  return (
    <p class="bar-legend quiet">
      {hasParts &&
        !request.parts &&
        PARTS.map(([name, text]) => (
          <span key={name}>
            <i class={`swatch ${name}`} /> {text}
          </span>
        ))}
      {isPartial && (
        <span>
          <i class="swatch unknown" /> not measured
        </span>
      )}
      <span>
        <i class="swatch critical" /> critical path
      </span>
      {hasParts && <span>Parts show how long, not when: Threads shows when.</span>}
    </p>
  );
}

/** Said where it changes: the same name in every line is noise. */
function showsService(
  spans: readonly SpanView[],
  index: number,
  places: ReadonlyMap<string, number>,
): boolean {
  const span = spans[index];
  const parent = spans[places.get(span?.parentId ?? '') ?? -1];
  return span?.service !== parent?.service;
}

interface SpanRowProps {
  span: SpanView;
  line: number;
  x: Scale;
  current: boolean;
  reachable: boolean;
  folded: boolean;
  showService: boolean;
  onFold: () => void;
  onSelect: () => void;
  onZoom: () => void;
}

/** Deeper levels stand no further to the right: their names would leave the column. */
const DEEPEST = 14;

function SpanRow(props: SpanRowProps) {
  const { span, line, x, current, folded } = props;
  const failed = span.status.code === 'ERROR';
  const ms = (span.end - span.start) / 1000;
  return (
    <div
      id={`span-${span.id}`}
      role="row"
      class={`row timeline-columns ${current ? 'current' : ''}`}
      aria-rowindex={line + 2}
      aria-level={span.depth + 1}
      aria-selected={current}
      {...(span.descendants > 0 && { 'aria-expanded': !folded })}
      tabIndex={props.reachable ? 0 : -1}
      onClick={props.onSelect}
      onDblClick={props.onZoom}
      onKeyDown={(event) => {
        if (event.key === 'Enter') props.onSelect();
      }}
    >
      <span role="gridcell" class="timeline-names">
        <span class="indent" style={{ width: `${Math.min(span.depth, DEEPEST) * 13}px` }} />
        {span.descendants > 0 ? (
          <button
            type="button"
            class={folded ? 'fold folded' : 'fold'}
            tabIndex={-1}
            aria-label={folded ? `Unfold ${span.name}` : `Fold ${span.name}`}
            onClick={(event) => {
              event.stopPropagation();
              props.onFold();
            }}
          />
        ) : (
          <span class="fold-space" />
        )}
        <span class={failed ? 'span-name bad' : 'span-name'} title={span.name}>
          {failed && <span aria-label="failed">✕ </span>}
          {span.name}
        </span>
        {props.showService && <span class="service quiet">{span.service}</span>}
        {folded && <span class="quiet"> +{span.descendants}</span>}
        {span.findings.length > 0 && (
          <span class="mark mark-finding" title={count(span.findings.length, 'finding')}>
            ✂<span class="hidden">{count(span.findings.length, 'finding')}</span>
          </span>
        )}
        {span.warnings.length > 0 && (
          <span class="mark mark-warning" title={span.warnings.join('\n')}>
            ⚠<span class="hidden">{count(span.warnings.length, 'warning')}</span>
          </span>
        )}
      </span>
      <span role="gridcell" class="timeline-bars" aria-label={duration(ms)}>
        <Bar span={span} x={x} />
      </span>
    </div>
  );
}

function Bar({ span, x }: { span: SpanView; x: Scale }) {
  const [left, right] = [x(span.start), x(Math.max(span.start, span.end))];
  const [from, to] = [x.invert(0), x.invert(1)];
  const perPixel = to - from;
  // A bar far beyond the window would be millions of pixels wide when zoomed in.
  const start = Math.max(left, -8);
  const width = Math.max(2, Math.min(right, start + 6000) - start);
  const { parts } = span;
  const ms = (span.end - span.start) / 1000;
  // Beside the bar, where there is room for it.
  const isBefore = narrow.value ? right > x.pixels - 58 && left > 58 : left > 110;
  return (
    <>
      <span
        class={`bar ${span.status.code === 'ERROR' ? 'bar-error' : ''}`}
        style={{ left: `${start}px`, width: `${width}px` }}
      >
        {parts ? (
          PARTS.map(([name, , key]) => (
            <i key={name} class={name} style={{ width: percent(parts[key], ms) }} />
          ))
        ) : (
          <i class="unknown" style={{ width: '100%' }} />
        )}
      </span>
      {span.events.slice(0, 40).map((event, index) => (
        <i
          key={index}
          class={event.exception ? 'event event-bad' : 'event'}
          style={{ left: `${left + (event.at - span.start) / perPixel}px` }}
        />
      ))}
      <span
        class={`bar-time tnum ${isBefore ? 'before' : ''}`}
        style={{ left: `${isBefore ? left : Math.max(0, right)}px` }}
      >
        {duration(ms)}
      </span>
    </>
  );
}
