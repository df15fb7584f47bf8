import { useKeys } from '../base/use-keys.ts';
import { goToList } from '../data/route.ts';
import { findings, summary } from '../data/store.ts';
import { FindingCard } from './finding-card.tsx';

/** Everything the doctor found, the same causes together. */
export function FindingsPage() {
  useKeys({ Escape: goToList });
  return (
    <main class="findings-page">
      <div class="findings-head">
        <button type="button" class="button" onClick={goToList}>
          ← Requests
        </button>
        <h1>Findings</h1>
      </div>
      <p class="quiet lead">
        Where the context of a request was lost, mixed up or held too long, and what repairs it.
      </p>
      {summary.value && findings.value.length === 0 && <p>Nothing was found.</p>}
      <div class="finding-list">
        {findings.value.map((finding, index) => (
          <FindingCard key={index} finding={finding} withSpans />
        ))}
      </div>
    </main>
  );
}
