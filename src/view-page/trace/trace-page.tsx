import type { TraceView } from '../../viewer/trace-model.ts';
import { count, dateAndTime, duration } from '../base/format.ts';
import { PARTS, PartsBar } from '../base/parts-bar.tsx';
import { useKeys } from '../base/use-keys.ts';
import { go, goToList, route, type TraceTab } from '../data/route.ts';
import { problem, trace } from '../data/store.ts';
import { Compare } from './compare.tsx';
import { ThreadPanel } from './thread-panel.tsx';
import { Waterfall } from './waterfall.tsx';

const TABS: [TraceTab, string][] = [
  ['waterfall', 'Waterfall'],
  ['threads', 'Threads'],
  ['compare', 'Compare'],
];

export function TracePage() {
  const here = route.value;
  const show = (tab: TraceTab, spanId?: string) => {
    if (here.page !== 'trace') return;
    go(
      { page: 'trace', traceId: here.traceId, tab, ...(spanId !== undefined && { spanId }) },
      { replace: true },
    );
  };
  useKeys({
    Escape: goToList,
    '1': () => show('waterfall'),
    '2': () => show('threads'),
    '3': () => show('compare'),
  });
  if (here.page !== 'trace') return null;
  const shown = trace.value?.traceId === here.traceId ? trace.value : undefined;
  return (
    <main class="trace-page">
      {shown ? (
        <>
          <TraceHead trace={shown} />
          <Tabs current={here.tab} onTab={(tab) => show(tab, here.spanId)} />
          <div
            class="tab-panel"
            role="tabpanel"
            id={`panel-${here.tab}`}
            aria-labelledby={`tab-${here.tab}`}
          >
            {here.tab === 'waterfall' && (
              <Waterfall
                key={shown.traceId}
                trace={shown}
                spanId={here.spanId}
                onSpan={(id) => show('waterfall', id)}
              />
            )}
            {here.tab === 'threads' && (
              <ThreadPanel trace={shown} onSpan={(id) => show('waterfall', id)} />
            )}
            {here.tab === 'compare' && <Compare trace={shown} />}
          </div>
        </>
      ) : (
        <div class="trace-head">
          <BackButton />
          <h1 class={problem.value === undefined ? 'quiet late' : 'quiet'}>
            {problem.value === undefined ? 'Loading…' : 'This trace is not here'}
          </h1>
        </div>
      )}
    </main>
  );
}

function BackButton() {
  return (
    <button type="button" class="button" title="Back to the list (Esc)" onClick={goToList}>
      ← Requests
    </button>
  );
}

function TraceHead({ trace }: { trace: TraceView }) {
  const { request } = trace;
  const { parts, blockedBy } = request;
  return (
    <section class="trace-head">
      <div class="trace-title">
        <BackButton />
        <h1>
          {request.name} {request.path !== undefined && <span class="path">{request.path}</span>}
        </h1>
        {request.error && <span class="badge badge-bad">✕ {request.statusCode ?? 'failed'}</span>}
        {!request.error && request.statusCode !== undefined && (
          <span class="badge">{request.statusCode}</span>
        )}
        {request.incomplete && <span class="badge badge-warning">incomplete</span>}
      </div>
      <p class="quiet trace-facts">
        {request.service} · {dateAndTime(request.startMs)} · {count(trace.spans.length, 'span')}
        {trace.spansDropped > 0 && `, ${trace.spansDropped} more were not kept`}
        {request.errorSpans > 0 && ` · ${count(request.errorSpans, 'error')}`}
        {request.warnings > 0 && ` · ${count(request.warnings, 'warning')}`}
        {trace.findings.length > 0 && ` · ${count(trace.findings.length, 'finding')}`}
      </p>
      <div class="trace-time">
        <span class="trace-duration tnum">{duration(request.durationMs)}</span>
        <div class="trace-parts">
          <PartsBar parts={parts} durationMs={request.durationMs} scaleMs={request.durationMs} />
          {parts ? (
            <p class="trace-parts-text">
              {PARTS.map(([name, label, key]) => (
                <span key={name}>
                  <i class={`swatch ${name}`} /> {label} <b class="tnum">{duration(parts[key])}</b>
                </span>
              ))}
              {blockedBy && (
                <span>
                  held by{' '}
                  {blockedBy.traceId === undefined ? (
                    <b>{blockedBy.name}</b>
                  ) : (
                    <button
                      type="button"
                      class="link"
                      onClick={() =>
                        go({
                          page: 'trace',
                          traceId: blockedBy.traceId ?? '',
                          tab: 'waterfall',
                        })
                      }
                    >
                      {blockedBy.name}
                    </button>
                  )}{' '}
                  <b class="tnum">{duration(blockedBy.ms)}</b>
                </span>
              )}
            </p>
          ) : (
            <p class="quiet trace-parts-text">
              Where the time went was not measured: <code>clew run</code> does.
            </p>
          )}
        </div>
      </div>
      {trace.warnings.map((warning, index) => (
        <p key={index} class="detail-warning">
          <b>⚠ Warning</b> {warning}
        </p>
      ))}
    </section>
  );
}

function Tabs({ current, onTab }: { current: TraceTab; onTab: (tab: TraceTab) => void }) {
  return (
    <div class="tabs" role="tablist" aria-label="Views of the trace">
      {TABS.map(([tab, title], index) => (
        <button
          key={tab}
          type="button"
          role="tab"
          id={`tab-${tab}`}
          class="tab"
          aria-selected={tab === current}
          aria-controls={tab === current ? `panel-${tab}` : undefined}
          tabIndex={tab === current ? 0 : -1}
          onClick={() => onTab(tab)}
          onKeyDown={(event) => {
            const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (by === undefined) return;
            event.preventDefault();
            const next = TABS[(index + by + TABS.length) % TABS.length]?.[0] ?? tab;
            onTab(next);
            requestAnimationFrame(() => document.getElementById(`tab-${next}`)?.focus());
          }}
        >
          {title} <kbd aria-hidden="true">{index + 1}</kbd>
        </button>
      ))}
    </div>
  );
}
