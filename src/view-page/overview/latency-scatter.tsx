import { useMemo, useState } from 'preact/hooks';

import type { RequestRow } from '../../viewer/model.ts';
import { clock, count, duration, number } from '../base/format.ts';
import { logarithmic, type Scale } from '../base/scale.ts';
import { useCanvas } from '../base/use-canvas.ts';
import { go, list, narrowList } from '../data/route.ts';
import { cloud, total } from '../data/store.ts';
import { useBrush } from './use-brush.ts';

export interface ChartFrame {
  x: Scale;
  width: number;
  height: number;
  left: number;
}

/** How near the pointer must be to a dot to mean it. */
const NEAR = 14;

/** A dot for a request: when it began, how long it took, and what it mostly did. */
export function LatencyScatter({ x, width, height, left }: ChartFrame) {
  const rows = cloud.value;
  const [lowest, highest] = useMemo(() => bounds(rows), [rows]);
  const y = logarithmic(lowest, highest, height);
  const [pointed, point] = useState<RequestRow | undefined>();

  const nearest = (px: number, py: number): RequestRow | undefined => {
    let best: RequestRow | undefined;
    let distance = NEAR ** 2;
    for (const row of rows) {
      const d = (x(row.startMs) - px) ** 2 + (y(row.durationMs) - py) ** 2;
      if (d < distance) [best, distance] = [row, d];
    }
    return best;
  };

  const { area, handlers } = useBrush({
    onHover: (px, py) => point(nearest(px, py)),
    onLeave: () => point(undefined),
    onClick: (px, py) => {
      const row = nearest(px, py);
      if (row) go({ page: 'trace', traceId: row.traceId, tab: 'waterfall' });
      else if (list.value.brush) narrowList({ brush: undefined });
    },
    onBrush: ({ left: l, right, top, bottom }) =>
      narrowList({
        brush: {
          fromMs: round(x.invert(l)),
          toMs: round(x.invert(right)),
          minMs: round(y.invert(bottom)),
          maxMs: round(y.invert(top)),
        },
      }),
  });

  const canvas = useCanvas(
    width,
    height,
    (context, ink) => {
      context.strokeStyle = ink('line');
      context.lineWidth = 1;
      for (const tick of y.ticks) {
        context.beginPath();
        context.moveTo(0, Math.round(y(tick)) + 0.5);
        context.lineTo(width, Math.round(y(tick)) + 0.5);
        context.stroke();
      }
      const colors = Object.fromEntries(
        ['running', 'io', 'loop', 'unknown', 'error'].map((name) => [name, ink(`dot-${name}`)]),
      );
      for (const row of rows) {
        const [px, py] = [x(row.startMs), y(row.durationMs)];
        if (px < -4 || px > width + 4) continue;
        context.globalAlpha = isIn(row, list.value.brush) ? 0.85 : 0.15;
        context.fillStyle = colors[kindOf(row)] ?? '';
        context.beginPath();
        if (row.error) {
          // Errors have a shape of their own: colour alone does not say it to all.
          context.rect(px - 3, py - 3, 6, 6);
        } else {
          context.arc(px, py, 3, 0, 7);
        }
        context.fill();
      }
      context.globalAlpha = 1;
    },
    [rows, x(0), x(1), lowest, highest, list.value.brush],
  );

  const { brush } = list.value;
  const shown = area ?? (brush && brushArea(brush, x, y, height));
  return (
    <figure class="chart">
      <figcaption class="chart-head">
        <span class="chart-title">Latency</span>
        {pointed ? (
          <span class="readout">
            <b>{pointed.name}</b> {duration(pointed.durationMs)} · {clock(pointed.startMs)}
            {pointed.blockedBy && ` · held by ${pointed.blockedBy.name}`}
          </span>
        ) : (
          <span class="legend">
            <i class="dot running" /> running <i class="dot io" /> I/O <i class="dot loop" /> loop{' '}
            <i class="dot error" /> failed
            {total.value > rows.length && (
              <span class="quiet"> · {number(rows.length)} of them are drawn</span>
            )}
          </span>
        )}
      </figcaption>
      <div class="plot" style={{ height: `${height}px` }}>
        {y.ticks.map((tick) => (
          <span
            key={tick}
            class="y-tick"
            aria-hidden="true"
            style={{ top: `${Math.min(y(tick), height - 6)}px` }}
          >
            {duration(tick).replace('.00', '').replace('.0', '')}
          </span>
        ))}
        <div
          class={pointed ? 'plot-area pointing' : 'plot-area'}
          style={{ left: `${left}px`, width: `${width}px` }}
          role="img"
          aria-label={`Latency over time of ${count(rows.length, 'request')}, from ${duration(lowest)} to ${duration(highest)}. The list below holds the same.`}
          {...handlers}
        >
          <canvas ref={canvas} class="canvas" />
          {shown && <BrushBox {...shown} />}
          {pointed && (
            <i
              class="point"
              style={{ left: `${x(pointed.startMs)}px`, top: `${y(pointed.durationMs)}px` }}
            />
          )}
        </div>
      </div>
    </figure>
  );
}

export function BrushBox(box: { left: number; top: number; right: number; bottom: number }) {
  return (
    <i
      class="brush"
      style={{
        left: `${box.left}px`,
        top: `${box.top}px`,
        width: `${box.right - box.left}px`,
        height: `${box.bottom - box.top}px`,
      }}
    />
  );
}

type Brush = NonNullable<typeof list.value.brush>;

function brushArea({ fromMs, toMs, minMs, maxMs }: Brush, x: Scale, y: Scale, height: number) {
  return {
    left: x(fromMs),
    right: x(toMs),
    top: maxMs === undefined ? 0 : y(maxMs),
    bottom: minMs === undefined ? height : y(minMs),
  };
}

function isIn(row: RequestRow, brush: Brush | undefined): boolean {
  if (!brush) return true;
  return (
    row.startMs <= brush.toMs &&
    row.startMs + row.durationMs >= brush.fromMs &&
    row.durationMs >= (brush.minMs ?? 0) &&
    row.durationMs <= (brush.maxMs ?? Infinity)
  );
}

/** The part that took most of it. */
function kindOf({ error, parts }: RequestRow): string {
  if (error) return 'error';
  if (!parts) return 'unknown';
  const { runningMs, ioMs, loopMs } = parts;
  if (loopMs >= runningMs && loopMs >= ioMs) return 'loop';
  return ioMs >= runningMs ? 'io' : 'running';
}

/** Whole powers of ten around all durations. */
function bounds(rows: readonly RequestRow[]): [number, number] {
  let low = Infinity;
  let high = 0;
  for (const { durationMs } of rows) {
    if (durationMs > 0 && durationMs < low) low = durationMs;
    if (durationMs > high) high = durationMs;
  }
  if (high === 0) return [1, 1000];
  const from = Math.max(0.001, 10 ** Math.floor(Math.log10(low) + 1e-9));
  return [from, Math.max(from * 10, high * 1.4)];
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
