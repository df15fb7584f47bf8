/** The lines that `run` writes to stderr, which then do not appear there. */
export function captureStderr(run: () => void): string[] {
  const lines: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text: string | Uint8Array): boolean => {
    lines.push(...text.toString().split('\n').filter(Boolean));
    return true;
  };
  try {
    run();
  } finally {
    process.stderr.write = write;
  }
  return lines;
}
