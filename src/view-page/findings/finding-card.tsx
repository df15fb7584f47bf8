import type { FindingView, PlaceView } from '../../viewer/model.ts';
import { count, shortFile } from '../base/format.ts';
import { go } from '../data/route.ts';

interface FindingCardProps {
  finding: FindingView;
  /** It stands by itself, and leads to the spans it concerns. */
  withSpans?: boolean;
}

/** What was found, where, and what repairs it. */
export function FindingCard({ finding, withSpans = false }: FindingCardProps) {
  const { place, handOver, fix } = finding;
  const Title = withSpans ? 'h2' : 'h3';
  const Subtitle = withSpans ? 'h3' : 'h4';
  return (
    <article class="finding">
      <header>
        <Title class="finding-name">{finding.name}</Title>
        <p class="quiet">
          {finding.certainty && `${finding.certainty}, `}seen {count(finding.count, 'time')}
          {finding.owner !== undefined && ` · work of ${finding.owner}`}
        </p>
      </header>
      <p>{finding.summary}</p>
      {place && <Place title="Your line" place={place} />}
      {handOver && (
        <Place
          title={
            handOver.package === undefined
              ? 'Called later from'
              : `Called later by ${handOver.package}`
          }
          place={handOver}
        />
      )}
      {fix && (
        <div class="fix">
          <Subtitle>Repair</Subtitle>
          {fix.change !== undefined && <p>{fix.change}</p>}
          {fix.rule !== undefined && <pre>{fix.rule}</pre>}
          {fix.command !== undefined && (
            <p class="command">
              <code>{fix.command}</code>
              <button
                type="button"
                class="button"
                onClick={(event) => {
                  const button = event.currentTarget;
                  void navigator.clipboard?.writeText(fix.command ?? '').then(() => {
                    button.textContent = 'Copied';
                  });
                }}
              >
                Copy
              </button>
            </p>
          )}
        </div>
      )}
      {withSpans && finding.spans.length > 0 && (
        <ul class="finding-spans">
          {newestByName(finding).map(({ traceId, spanId, name, times }) => (
            <li key={name}>
              <button
                type="button"
                class="link"
                title="Show the newest"
                onClick={() => go({ page: 'trace', traceId, spanId, tab: 'waterfall' })}
              >
                {name}
              </button>
              {times > 1 && <span class="quiet"> × {times}</span>}
            </li>
          ))}
        </ul>
      )}
    </article>
  );
}

const MAX_NAMES = 20;

function newestByName({ spans }: FindingView) {
  const names = new Map<string, { traceId: string; spanId: string; name: string; times: number }>();
  for (const span of spans) {
    names.set(span.name, { ...span, times: (names.get(span.name)?.times ?? 0) + 1 });
  }
  return [...names.values()].slice(0, MAX_NAMES);
}

export function Place({ title, place }: { title: string; place: PlaceView }) {
  const at = place.column === undefined ? place.line : `${place.line}:${place.column}`;
  return (
    <div class="place">
      <p class="quiet">
        {title}{' '}
        <span class="file" title={place.file}>
          {shortFile(place.file)}:{at}
        </span>
        {place.function !== undefined && ` in ${place.function}`}
      </p>
      {place.code !== undefined && (
        <pre>
          <span class="line-number">{place.line}</span> {place.code.trim()}
        </pre>
      )}
    </div>
  );
}
