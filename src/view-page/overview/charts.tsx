import { clock } from '../base/format.ts';
import { linear, type Scale } from '../base/scale.ts';
import { narrow, useSize } from '../base/use-size.ts';
import { cloud, pending, zoom } from '../data/store.ts';
import { LatencyScatter } from './latency-scatter.tsx';
import { PendingChart } from './pending-chart.tsx';

const LEFT = 52;
const RIGHT = 14;
/** Half of the pixels that a digit takes. */
const HALF_DIGIT = 3.4;

/** Latency and pending work over one time. */
export function Charts() {
  const { ref, width } = useSize<HTMLDivElement>();
  const plot = Math.max(0, width - LEFT - RIGHT);
  const [from, to] = zoom.value ?? wholeTime();
  const x = linear(from, to, plot, narrow.value ? 2 : 6);
  const frame = { x, width: plot, left: LEFT };
  return (
    <div class="charts" ref={ref}>
      {zoom.value && (
        <button type="button" class="button unzoom" onClick={() => (zoom.value = undefined)}>
          Show all the time
        </button>
      )}
      {plot > 0 && (
        <>
          <LatencyScatter {...frame} height={narrow.value ? 92 : 148} />
          <TimeAxis x={x} />
          <PendingChart {...frame} height={narrow.value ? 44 : 66} />
        </>
      )}
    </div>
  );
}

function wholeTime(): [number, number] {
  let from = Infinity;
  let to = -Infinity;
  for (const { startMs, durationMs } of cloud.value) {
    if (startMs < from) from = startMs;
    if (startMs + durationMs > to) to = startMs + durationMs;
  }
  if (pending.value && pending.value.series.length > 0 && cloud.value.length === 0) {
    from = pending.value.fromMs;
    to = pending.value.toMs;
  }
  if (from > to) return [0, 1000];
  const margin = Math.max((to - from) * 0.01, 1);
  return [from - margin, to + margin];
}

function TimeAxis({ x }: { x: Scale }) {
  const step = (x.ticks[1] ?? 0) - (x.ticks[0] ?? 0);
  const labels = x.ticks.map((tick) => ({
    at: x(tick),
    text: step >= 1000 ? clock(tick).slice(0, 8) : clock(tick),
  }));
  // A time that would stick out of the chart is left out.
  const inside = labels.filter(({ at, text }) => at + text.length * HALF_DIGIT <= x.pixels + RIGHT);
  return (
    <div class="time-axis" aria-hidden="true">
      {inside.map(({ at, text }) => (
        <span key={text} style={{ left: `${LEFT + at}px` }}>
          {text}
        </span>
      ))}
    </div>
  );
}
