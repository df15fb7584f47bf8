/** The slope of equally spaced samples: the median over all pairs, which outliers do not move. */
export function slopeOf(samples: readonly number[]): number {
  const slopes: number[] = [];
  for (let i = 0; i < samples.length; i++) {
    for (let j = i + 1; j < samples.length; j++) {
      slopes.push(((samples[j] as number) - (samples[i] as number)) / (j - i));
    }
  }
  return slopes.toSorted((a, b) => a - b)[slopes.length >> 1] ?? 0;
}
