import type { Page } from 'playwright-core';

/** What scrolling cost. */
export interface ScrollCost {
  /** Milliseconds that the page's thread worked for each step. */
  workMillis: number;
  /** Milliseconds from frame to frame, in the order of the steps. */
  frames: number[];
}

/**
 * Scrolls an element from top to bottom in steps, one in each frame. The work is what a test can
 * bound: how long frames take by the clock is up to who else has the machine.
 */
export async function scrollThrough(
  page: Page,
  selector: string,
  steps: number,
): Promise<ScrollCost> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const worked = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000;
  };
  const before = await worked();
  const times = await page.locator(selector).evaluate(async (element, count) => {
    const rows = element as unknown as { scrollTop: number; scrollHeight: number };
    const { window } = globalThis as unknown as {
      window: { requestAnimationFrame(callback: (time: number) => void): void };
    };
    const seen: number[] = [];
    for (let step = 1; step <= count; step++) {
      rows.scrollTop = (rows.scrollHeight * step) / count;
      seen.push(await new Promise<number>((resolve) => window.requestAnimationFrame(resolve)));
    }
    return seen;
  }, steps);
  const after = await worked();
  await session.detach();
  const frames = times.slice(1).map((time, index) => time - (times[index] ?? time));
  return { workMillis: (after - before) / steps, frames };
}
