/** From a domain to pixels and back. */
export interface Scale {
  (value: number): number;
  invert(pixel: number): number;
  ticks: number[];
  /** How many pixels there are. */
  pixels: number;
}

export function linear(from: number, to: number, pixels: number, wanted = 6): Scale {
  const span = to - from || 1;
  return Object.assign((value: number) => ((value - from) / span) * pixels, {
    invert: (pixel: number) => from + (pixel / (pixels || 1)) * span,
    ticks: niceTicks(from, to, wanted),
    pixels,
  });
}

/** Logarithmic, from `pixels` down to 0: great values stand on top. */
export function logarithmic(from: number, to: number, pixels: number): Scale {
  const low = Math.log10(from);
  const span = Math.log10(to) - low || 1;
  const ticks: number[] = [];
  for (let power = Math.ceil(low - 1e-9); power <= Math.log10(to) + 1e-9; power++) {
    ticks.push(10 ** power);
  }
  return Object.assign(
    (value: number) => pixels - ((Math.log10(Math.max(value, from)) - low) / span) * pixels,
    {
      invert: (pixel: number) => 10 ** (low + ((pixels - pixel) / (pixels || 1)) * span),
      ticks,
      pixels,
    },
  );
}

/** Round numbers between two; about `wanted` of them. */
export function niceTicks(from: number, to: number, wanted: number): number[] {
  const rough = (to - from) / Math.max(1, wanted);
  if (!(rough > 0) || !Number.isFinite(rough)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step); i * step <= to; i++) ticks.push(i * step);
  return ticks;
}
