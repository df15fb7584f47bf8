import type { TimeParts } from '../../viewer/model.ts';
import type { TraceView, Typical, TypicalOperation } from '../../viewer/trace-model.ts';
import { count, difference, duration, number } from '../base/format.ts';
import { PARTS, PartsBar, percent } from '../base/parts-bar.tsx';

/** This request beside the typical one of its name: where did it lose its time? */
export function Compare({ trace }: { trace: TraceView }) {
  const { request, typical } = trace;
  if (!typical) {
    return (
      <section class="empty">
        <h2>Nothing to compare with</h2>
        <p>There is no other request of the name {request.name}.</p>
      </section>
    );
  }
  const scaleMs = Math.max(request.durationMs, typical.durationMs);
  return (
    <div class="compare" tabIndex={0} role="region" aria-label="Comparison">
      <p class="verdict">{verdict(trace, typical)}</p>
      <div class="compare-bars">
        <Beside title="this one" ms={request.durationMs} parts={request.parts} scaleMs={scaleMs} />
        <Beside
          title={`typical of ${number(typical.requests)}`}
          ms={typical.durationMs}
          parts={typical.parts}
          scaleMs={scaleMs}
        />
      </div>
      <table class="operations">
        <thead>
          <tr>
            <th scope="col">Operation</th>
            <th scope="col">Lost here</th>
            <th scope="col" class="num">
              Own time
            </th>
            <th scope="col" class="num">
              typical
            </th>
            <th scope="col" class="num">
              Calls
            </th>
            <th scope="col" class="num">
              typical
            </th>
          </tr>
        </thead>
        <tbody>
          {typical.operations.map((operation, index) => (
            <Operation key={index} operation={operation} most={most(typical)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface BesideProps {
  title: string;
  ms: number;
  parts: TimeParts | undefined;
  scaleMs: number;
}

function Beside({ title, ms, parts, scaleMs }: BesideProps) {
  return (
    <div class="beside">
      <span class="quiet">{title}</span>
      <PartsBar parts={parts} durationMs={ms} scaleMs={scaleMs} />
      <span class="tnum">{duration(ms)}</span>
    </div>
  );
}

function Operation({ operation, most }: { operation: TypicalOperation; most: number }) {
  const { name, here, typical, lostMs } = operation;
  const width = percent(Math.abs(lostMs), most * 2);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="lost-cell">
        <span class="lost-track">
          <i
            class={lostMs > 0 ? 'lost-bar lost-more' : 'lost-bar lost-less'}
            style={lostMs > 0 ? { left: '50%', width } : { right: '50%', width }}
          />
        </span>
        <span class="tnum">{difference(lostMs)}</span>
      </td>
      <td class="num tnum">{duration(here.selfMs)}</td>
      <td class="num tnum quiet">{duration(typical.selfMs)}</td>
      <td class="num tnum">{number(here.count)}</td>
      <td class="num tnum quiet">{number(Math.round(typical.count * 10) / 10)}</td>
    </tr>
  );
}

function most({ operations }: Typical): number {
  return Math.max(...operations.map(({ lostMs }) => Math.abs(lostMs)), 0.001);
}

/** The answer in two sentences. */
function verdict({ request }: TraceView, typical: Typical): string {
  const more = request.durationMs - typical.durationMs;
  const times = request.durationMs / (typical.durationMs || 1);
  const others = count(typical.requests, 'other');
  const first =
    Math.abs(more) < typical.durationMs * 0.1
      ? `It took about as long as a typical ${request.name} (the median of ${others}).`
      : more > 0
        ? `It took ${times >= 1.95 ? `${number(Math.round(times * 10) / 10)} times as long as` : `${duration(more)} longer than`} a typical ${request.name} (the median of ${others}).`
        : `It was ${duration(-more)} faster than a typical ${request.name} (the median of ${others}).`;
  const lost = losses(request.parts, typical.parts);
  const top = typical.operations.find(({ lostMs }) => lostMs > 0);
  if (more <= typical.durationMs * 0.1) return first;
  const by = request.blockedBy ? `, mostly behind ${request.blockedBy.name}` : '';
  const part = lost
    ? `Of the difference, ${duration(lost.ms)} went into ${lost.what}${lost.isLoop ? by : ''}`
    : undefined;
  const operation = top && `${top.name} took ${duration(top.lostMs)} more of its own time`;
  const second = [part, operation].filter(Boolean).join('; ');
  return second === '' ? first : `${first} ${second}.`;
}

const WORDS = {
  running: 'running its own JavaScript',
  io: 'waiting for I/O',
  loop: 'waiting for the event loop',
};

function losses(
  here: TimeParts | undefined,
  typical: TimeParts | undefined,
): { what: string; ms: number; isLoop: boolean } | undefined {
  if (!here || !typical) return undefined;
  const [worst] = PARTS.map(([name, , key]) => ({
    what: WORDS[name],
    ms: here[key] - typical[key],
    isLoop: name === 'loop',
  })).sort((a, b) => b.ms - a.ms);
  return worst && worst.ms > 0 ? worst : undefined;
}
