/**
 * Returns `text` in at most `width` characters. It is cut in the middle: names such as
 * `GET /customers/:id/orders/:order` differ at their ends.
 */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const kept = Math.max(width - 1, 0);
  const tail = Math.floor(kept / 2);
  return `${text.slice(0, kept - tail)}…${tail > 0 ? text.slice(-tail) : ''}`.slice(0, width);
}
