/** `SQL_SEED` makes a run of its own, `SQL_RUNS` makes it longer. */
export const SEED: number = Number(process.env['SQL_SEED'] ?? 20261121);
export const RUNS: number = Number(process.env['SQL_RUNS'] ?? 10_000);

/** The summary of these parts: as many as fit. */
export function summaryOf(parts: string[]): string | undefined {
  let summary = '';
  for (const part of parts) {
    const longer = summary === '' ? part : `${summary} ${part}`;
    if (longer.length > 255) break;
    summary = longer;
  }
  return summary || undefined;
}
