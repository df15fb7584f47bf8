/** The lines that `run` writes to stderr, which then do not appear there. */
export function captureStderr(run: () => void): string[] {
  const lines: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = ((text: string) => {
    lines.push(...text.split('\n').filter(Boolean));
    return true;
  }) as typeof write;
  try {
    run();
  } finally {
    process.stderr.write = write;
  }
  return lines;
}
