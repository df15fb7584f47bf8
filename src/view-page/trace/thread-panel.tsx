import { useMemo, useState } from 'preact/hooks';

import type { Thread, TraceView } from '../../viewer/trace-model.ts';
import { count, duration, shortFile } from '../base/format.ts';
import { useKeys } from '../base/use-keys.ts';
import { narrow } from '../base/use-size.ts';
import { Place } from '../findings/finding-card.tsx';
import { ThreadDrawing } from './thread-drawing.tsx';
import { Timeline } from './timeline.tsx';

/** What the request itself is in the list of threads. */
const REQUEST = Number.MIN_SAFE_INTEGER;

/** One request as threads: what made what, when it ran, and what it waited for. */
export function ThreadPanel(props: { trace: TraceView; onSpan: (spanId: string) => void }) {
  const { trace, onSpan } = props;
  const { source, omitted } = trace.threads;
  const threads = useMemo(() => threadsOf(trace), [trace]);
  const depths = useMemo(() => depthsOf(threads), [threads]);
  const [current, setCurrent] = useState(-1);
  const move = (by: number) => {
    const next = Math.max(0, Math.min(threads.length - 1, current + by));
    setCurrent(next);
    requestAnimationFrame(() => document.getElementById(`thread-${next}`)?.focus());
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    ...(current >= 0 && { Escape: () => setCurrent(-1) }),
  });
  if (source === 'none') return <NoThreads />;

  const selected = threads[current];
  const end = Math.max(trace.duration, ...threads.map((thread) => thread.end), 1);
  const rowHeight = narrow.value ? 46 : 32;
  return (
    <div class="thread-panel">
      <p class="thread-legend quiet">
        <span>
          <i class="swatch thread-wait" /> waits
        </span>
        <span>
          <i class="swatch running" /> runs
        </span>
        <span>
          <i class="swatch loop" /> waits for the loop
        </span>
        {threads.some(({ lost }) => lost) && (
          <span>
            <span class="bad">✂</span> lost
          </span>
        )}
        {source === 'spans' && <span>{sourceText(threads)}</span>}
        {threads.length === 1 && <span>{ALONE}</span>}
        {omitted > 0 && <span>{count(omitted, 'shorter thread')} left out.</span>}
      </p>
      <Timeline
        label="Threads of the request"
        columnTitle={titleOf(threads)}
        class="threads"
        count={threads.length}
        current={current}
        view={[0, end]}
        rowHeight={rowHeight}
        renderRow={(index) => {
          const thread = threads[index];
          return (
            thread && (
              <div
                key={thread.id}
                id={`thread-${index}`}
                role="row"
                class={`row timeline-columns ${index === current ? 'current' : ''}`}
                aria-rowindex={index + 2}
                aria-level={(depths.get(thread.id) ?? 0) + 1}
                aria-selected={index === current}
                aria-label={threadText(thread)}
                tabIndex={index === Math.max(0, current) ? 0 : -1}
                onClick={() => setCurrent(index)}
              >
                <span role="gridcell" class="timeline-names">
                  <span
                    class="indent"
                    style={{ width: `${Math.min(depths.get(thread.id) ?? 0, 10) * 12}px` }}
                  />
                  <span class="span-name">{thread.name}</span>
                  {thread.description !== undefined && thread.description !== thread.name && (
                    <span class="quiet thread-description">{thread.description}</span>
                  )}
                </span>
                <span
                  role="gridcell"
                  class="timeline-bars"
                  aria-label={duration(lengthOf(thread))}
                />
              </div>
            )
          );
        }}
        drawing={(from, to, x) => (
          <ThreadDrawing threads={threads} from={from} to={to} x={x} rowHeight={rowHeight} />
        )}
      />
      {selected && (
        <ThreadDetail thread={selected} onSpan={onSpan} onClose={() => setCurrent(-1)} />
      )}
    </div>
  );
}

const ALONE =
  'Nothing below the request was recorded: CLEW_RESOURCE_SPANS=1, or a recording, shows what it waited for.';

/** What the lines are: spans of async resources have a type, those of operations have none. */
function titleOf([, ...others]: readonly Thread[]): string {
  if (others.length === 0) return 'the request alone';
  if (others.every(({ type }) => type === undefined)) return count(others.length, 'operation');
  return count(others.length, 'group of async resources', 'groups of async resources');
}

/** How exact it is what spans tell. */
function sourceText(threads: readonly Thread[]): string {
  const gaps = threads.flatMap((thread) => thread.gaps);
  const isKnown = gaps.some(({ estimated }) => !estimated);
  const isEstimated = gaps.some(({ estimated }) => estimated);
  return [
    isKnown ? 'From spans: waits of 5 ms and more are exact.' : 'From spans.',
    ...(isEstimated ? ['Broken edges: placed by estimate.'] : []),
    ...(threads.length > 1 ? ['A recording has all of them.'] : []),
  ].join(' ');
}

function NoThreads() {
  return (
    <section class="empty">
      <h2>No async resources of this request</h2>
      <p>
        Threads are drawn from a recording (<code>clew record</code>, then open the{' '}
        <code>.clew</code> file), or from spans of async resources:{' '}
        <code>CLEW_RESOURCE_SPANS=1</code> gives them to every sampled request.
      </p>
    </section>
  );
}

/** The threads, the request first, of which the others come. */
function threadsOf({ request, duration, spans, threads: { threads } }: TraceView): Thread[] {
  const root = spans.find(({ parentId }) => parentId === undefined) ?? spans[0];
  const own = threads.find(({ spanId }) => spanId !== undefined && spanId === root?.id);
  if (own) return [own, ...threads.filter((thread) => thread !== own)];
  const whole: Thread = {
    id: REQUEST,
    name: request.name,
    ...(request.path !== undefined && { description: request.path }),
    ...(root && { spanId: root.id }),
    start: root?.start ?? 0,
    end: root?.end ?? duration,
    running: [],
    runningMs: request.parts?.runningMs ?? 0,
    gaps: [],
    folded: 0,
  };
  return [whole, ...threads];
}

/** How many triggers lead to each thread. */
function depthsOf(threads: readonly Thread[]): Map<number, number> {
  const depths = new Map<number, number>();
  threads.forEach(({ id, trigger }, index) => {
    depths.set(id, index === 0 ? 0 : (depths.get(trigger ?? id) ?? 0) + 1);
  });
  return depths;
}

function lengthOf({ start, end }: Thread): number {
  return (end - start) / 1000;
}

function gapMs({ gaps }: Thread): number {
  return gaps.reduce((sum, { start, end }) => sum + (end - start), 0) / 1000;
}

function threadText(thread: Thread): string {
  const gap = gapMs(thread);
  const blockers = [...new Set(thread.gaps.map(({ blocker }) => blocker?.name))].filter(Boolean);
  return [
    `${thread.name} ${thread.description ?? ''}`.trim(),
    `from ${duration(thread.start / 1000)} for ${duration(lengthOf(thread))}`,
    `ran ${duration(thread.runningMs)}`,
    gap > 0 && `waited ${duration(gap)} for the loop`,
    blockers.length > 0 && `held by ${blockers.join(' and ')}`,
    thread.lost && `lost: ${thread.lost.finding}`,
  ]
    .filter(Boolean)
    .join(', ');
}

interface ThreadDetailProps {
  thread: Thread;
  onSpan: (spanId: string) => void;
  onClose: () => void;
}

function ThreadDetail({ thread, onSpan, onClose }: ThreadDetailProps) {
  const { spanId, lost } = thread;
  return (
    <aside class="thread-detail" aria-label={thread.name}>
      <header class="detail-head">
        <h2>
          {thread.name} {thread.type !== undefined && <code class="quiet">{thread.type}</code>}
        </h2>
        <button type="button" class="button icon" aria-label="Close the thread" onClick={onClose}>
          ×
        </button>
      </header>
      {thread.description !== undefined && <p class="file">{thread.description}</p>}
      <p>
        From <span class="tnum">{duration(thread.start / 1000)}</span> for{' '}
        <span class="tnum">{duration(lengthOf(thread))}</span>: ran{' '}
        <span class="tnum">{duration(thread.runningMs)}</span>
        {thread.running.length > 0 && ` in ${count(thread.running.length, 'callback')}`}, waited{' '}
        <span class="tnum">{duration(gapMs(thread))}</span> for the loop.
        {thread.folded > 0 &&
          ` ${count(thread.folded, 'promise or tick', 'promises and ticks')} are counted in it.`}
      </p>
      {thread.gaps.map(
        ({ blocker, estimated }, index) =>
          blocker && (
            <p key={index}>
              <i class="swatch loop" /> <b>{blocker.name}</b> held the loop for{' '}
              {duration(blocker.ms)}
              {estimated && ' (its place is estimated)'}
            </p>
          ),
      )}
      {thread.createdAt !== undefined && (
        <p class="quiet">
          Created at <span class="file">{shortFile(thread.createdAt)}</span>
        </p>
      )}
      {lost && (
        <div class="detail-warning">
          <p>
            <b>✂ {lost.finding}</b> What follows ran without the context of the request.
          </p>
          {lost.place && <Place title="Lost at" place={lost.place} />}
        </div>
      )}
      {spanId !== undefined && (
        <button type="button" class="button" onClick={() => onSpan(spanId)}>
          Show its span
        </button>
      )}
    </aside>
  );
}
