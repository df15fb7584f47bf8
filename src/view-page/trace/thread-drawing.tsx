import { useMemo } from 'preact/hooks';

import type { Blocker } from '../../viewer/model.ts';
import type { LostMark, Thread, ThreadGap } from '../../viewer/trace-model.ts';
import { duration, shortFile } from '../base/format.ts';
import type { Scale } from '../base/scale.ts';
import { narrow } from '../base/use-size.ts';
import { bend } from './critical-thread.ts';

interface ThreadDrawingProps {
  /** The request itself comes first. */
  threads: readonly Thread[];
  from: number;
  to: number;
  x: Scale;
  rowHeight: number;
}

/** Pixels that a letter takes at most: whether a name has room in its gap. */
const LETTER = 6.4;

/** The lines `from` to `to`; y begins at line `from`. */
export function ThreadDrawing({ threads, from, to, x, rowHeight }: ThreadDrawingProps) {
  const lines = useMemo(() => new Map(threads.map(({ id }, index) => [id, index])), [threads]);
  const middle = narrow.value ? rowHeight - 13 : rowHeight / 2;
  const y = (line: number) => (line - from) * rowHeight + middle;
  const triggers = threads.map(({ trigger }, index) =>
    index === 0 || trigger === undefined ? 0 : (lines.get(trigger) ?? 0),
  );
  return (
    <>
      <defs>
        <pattern
          id="hatch"
          width="6"
          height="6"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect class="hatch-ground" width="6" height="6" />
          <rect class="hatch-line" width="2.4" height="6" />
        </pattern>
      </defs>
      {threads.map((thread, line) => {
        const trigger = triggers[line] ?? 0;
        if (line === 0 || Math.min(trigger, line) >= to || Math.max(trigger, line) < from) {
          return null;
        }
        return (
          <path
            key={thread.id}
            class={thread.lost && thread.trigger === undefined ? 'branch branch-lost' : 'branch'}
            d={bend(x(thread.start), y(trigger), y(line), 6)}
          />
        );
      })}
      {threads.slice(from, to).map((thread, index) => (
        <ThreadLine
          key={thread.id}
          thread={thread}
          x={x}
          y={y(from + index)}
          whole={from + index === 0}
        />
      ))}
    </>
  );
}

interface ThreadLineProps {
  thread: Thread;
  x: Scale;
  y: number;
  whole: boolean;
}

function ThreadLine({ thread, x, y, whole }: ThreadLineProps) {
  const { lost } = thread;
  const left = x(thread.start);
  const right = Math.max(x(thread.end), left + 2);
  const held = lost ? Math.max(left, Math.min(right, x(lost.at))) : right;
  const width = (from: number, to: number) => Math.max(1.5, x(to) - x(from));
  return (
    <g>
      <line
        class={whole ? 'thread-line thread-whole' : 'thread-line'}
        x1={left}
        x2={held}
        y1={y}
        y2={y}
      />
      {lost && <line class="thread-after" x1={held} x2={right} y1={y} y2={y} />}
      {thread.gaps.map((gap, index) => (
        <Gap key={index} gap={gap} left={x(gap.start)} width={width(gap.start, gap.end)} y={y} />
      ))}
      {thread.running.map(([start, end], index) => (
        <rect
          key={index}
          class="thread-run"
          x={x(start)}
          y={y - 5}
          width={width(start, end)}
          height="10"
          rx="1.5"
        />
      ))}
      <circle class="knot" cx={right} cy={y} r="3" />
      {lost && <Lost lost={lost} x={held} y={y} atRight={held > x(0) + 0.6 * (right - x(0))} />}
    </g>
  );
}

function Gap(props: { gap: ThreadGap; left: number; width: number; y: number }) {
  const { gap, left, width, y } = props;
  const { blocker, estimated } = gap;
  const name = blocker ? nameOf(blocker, (gap.end - gap.start) / 1000) : 'loop busy';
  const letters = Math.floor((width - 10) / LETTER);
  return (
    <g class={estimated ? 'gap estimated' : 'gap'}>
      <rect x={left} y={y - 8} width={width} height="16" rx="2" fill="url(#hatch)" />
      {letters > 5 && (
        <text x={left + 5} y={y + 4}>
          {name.length > letters ? `${name.slice(0, letters - 1)}…` : name}
        </text>
      )}
    </g>
  );
}

/** Who held the loop, and for how much of the gap where others held it, too. */
function nameOf({ name, ms }: Blocker, gapMs: number): string {
  return ms < gapMs * 0.9
    ? `${name} ${duration(ms)} of ${duration(gapMs)}`
    : `${name} ${duration(ms)}`;
}

/** A frayed end, and the line that lost it. */
function Lost(props: { lost: LostMark; x: number; y: number; atRight: boolean }) {
  const { lost, x, y, atRight } = props;
  const place = lost.place && ` ${shortFile(lost.place.file)}:${lost.place.line}`;
  return (
    <g class="lost">
      <path d={`M${x} ${y}c5 0 7 -3 11 -6M${x} ${y}c5 0 8 0 13 1M${x} ${y}c5 0 7 3 10 7`} />
      <text x={atRight ? x - 8 : x + 18} y={y + 4} text-anchor={atRight ? 'end' : 'start'}>
        ✂ {lost.finding}
        {place}
      </text>
    </g>
  );
}
