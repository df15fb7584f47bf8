import type { ComponentChildren } from 'preact';

import { duration } from '../base/format.ts';
import { linear, type Scale } from '../base/scale.ts';
import { narrow, useSize } from '../base/use-size.ts';
import { VirtualRows } from '../base/virtual-rows.tsx';

/** The part of a trace that is shown, in microseconds since its start. */
export type View = [from: number, to: number];

interface TimelineProps {
  label: string;
  /** What the column of names holds. */
  columnTitle: string;
  count: number;
  current: number;
  view: View;
  rowHeight: number;
  class?: string;
  renderRow: (index: number, x: Scale) => ComponentChildren;
  /** SVG over the rows `from` to `to`, as wide as the timeline. */
  drawing?: (from: number, to: number, x: Scale) => ComponentChildren;
}

/** Names at the left, time at the right: lines of a trace, of which only those in sight exist. */
export function Timeline(props: TimelineProps) {
  const { view, count, rowHeight, current } = props;
  const { ref, width } = useSize<HTMLDivElement>();
  const x = linear(view[0], view[1], width, narrow.value ? 3 : 6);
  return (
    <div
      class={`timeline ${props.class ?? ''}`}
      role="treegrid"
      aria-label={props.label}
      aria-rowcount={count + 1}
    >
      <div class="timeline-head timeline-columns" role="row" aria-rowindex={1}>
        <span role="columnheader" class="timeline-names">
          {props.columnTitle}
        </span>
        <div role="columnheader" class="timeline-axis" ref={ref}>
          <span class="hidden">Time</span>
          {x.ticks.map((tick) => (
            <span
              key={tick}
              class={x(tick) > width - 44 ? 'tick tick-last' : 'tick'}
              aria-hidden="true"
              style={{ left: `${x(tick)}px` }}
            >
              {duration(tick / 1000)}
            </span>
          ))}
        </div>
      </div>
      <VirtualRows
        count={count}
        rowHeight={rowHeight}
        current={current}
        renderRow={(index) => props.renderRow(index, x)}
        overlay={(from, to) => (
          <svg
            class="timeline-drawing"
            width={width}
            height={(to - from) * rowHeight}
            aria-hidden="true"
          >
            {x.ticks.map((tick) => (
              <line key={tick} class="grid-line" x1={x(tick)} x2={x(tick)} y1="0" y2="100%" />
            ))}
            {width > 0 && props.drawing?.(from, to, x)}
          </svg>
        )}
      />
    </div>
  );
}
