import { useMemo, useState } from 'preact/hooks';

import type { PendingView } from '../../viewer/model.ts';
import { clock, number } from '../base/format.ts';
import { list, narrowList } from '../data/route.ts';
import { pending } from '../data/store.ts';
import { BrushBox, type ChartFrame } from './latency-scatter.tsx';
import { useBrush } from './use-brush.ts';

/** How much was under way at a time: one area upon the other, the greatest below. */
export function PendingChart({ x, width, height, left }: ChartFrame) {
  const view = pending.value;
  const { tops, most } = useMemo(() => stack(view), [view]);
  const [pointed, point] = useState<number | undefined>();
  const { area, handlers } = useBrush({
    onHover: (px) => point(bucketAt(view, x.invert(px))),
    onLeave: () => point(undefined),
    onClick: () => {
      if (list.value.brush) narrowList({ brush: undefined });
    },
    onBrush: (drawn) =>
      narrowList({
        brush: { fromMs: Math.floor(x.invert(drawn.left)), toMs: Math.ceil(x.invert(drawn.right)) },
      }),
  });
  if (!view || view.series.length === 0) return null;

  const y = (value: number) => height - (value / (most || 1)) * (height - 2);
  const middle = (index: number) => x(view.fromMs + (index + 0.5) * view.stepMs).toFixed(1);
  const shape = (index: number): string => {
    const [upper = [], lower = []] = [tops[index + 1], tops[index]];
    const there = upper.map((value, i) => `${middle(i)},${y(value).toFixed(1)}`);
    const back = lower.map((value, i) => `${middle(i)},${y(value).toFixed(1)}`).toReversed();
    return `M${there.join('L')}L${back.join('L')}Z`;
  };
  const { brush } = list.value;
  const what = view.source === 'spans' ? 'operations in flight' : 'async resources pending';
  return (
    <figure class="chart">
      <figcaption class="chart-head">
        <span class="chart-title">{what[0]?.toUpperCase() + what.slice(1)}</span>
        {pointed !== undefined && (
          <span class="quiet tnum">{clock(view.fromMs + pointed * view.stepMs)}</span>
        )}
        <span class="legend series-legend">
          {view.series.map(({ type, counts }, index) => (
            <span key={type} class={pointed !== undefined && !counts[pointed] ? 'faint' : ''}>
              <i class={`dot series-${index % 12}`} /> {type}
              {pointed !== undefined && <b> {number(counts[pointed] ?? 0)}</b>}
            </span>
          ))}
        </span>
      </figcaption>
      <div class="plot" style={{ height: `${height}px` }}>
        <span class="y-tick" aria-hidden="true" style={{ top: `${y(most)}px` }}>
          {number(most)}
        </span>
        <div
          class="plot-area"
          style={{ left: `${left}px`, width: `${width}px` }}
          role="img"
          aria-label={`${what} over time, ${number(most)} at most: ${view.series.map(({ type }) => type).join(', ')}`}
          data-chart="pending"
          {...handlers}
        >
          <svg class="areas" width={width} height={height} aria-hidden="true">
            {view.series.map(({ type }, index) => (
              <path key={type} class={`area series-${index % 12}`} d={shape(index)} />
            ))}
            <line class="base-line" x1="0" x2={width} y1={height - 0.5} y2={height - 0.5} />
          </svg>
          {area ? (
            <BrushBox {...area} top={0} bottom={height} />
          ) : (
            brush && (
              <BrushBox left={x(brush.fromMs)} right={x(brush.toMs)} top={0} bottom={height} />
            )
          )}
        </div>
      </div>
    </figure>
  );
}

/** Sums up to each series; `tops[0]` is the ground. */
function stack(view: PendingView | undefined): { tops: number[][]; most: number } {
  const length = view?.series[0]?.counts.length ?? 0;
  const tops = [Array.from({ length }, () => 0)];
  for (const { counts } of view?.series ?? []) {
    const below = tops.at(-1) ?? [];
    tops.push(below.map((value, index) => value + (counts[index] ?? 0)));
  }
  let most = 0;
  for (const value of tops.at(-1) ?? []) most = Math.max(most, value);
  return { tops, most };
}

function bucketAt(view: PendingView | undefined, time: number): number | undefined {
  if (!view) return undefined;
  const index = Math.floor((time - view.fromMs) / view.stepMs);
  return index >= 0 && index < (view.series[0]?.counts.length ?? 0) ? index : undefined;
}
