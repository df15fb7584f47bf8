import assert from 'node:assert/strict';

import type { Browser, Page } from 'playwright-core';

import { findBinary } from '../../support/find-binary.ts';
import { skipSuite } from '../../support/services.ts';
import { closeAtEnd } from './close-pages.ts';

/*
 * A real Chromium without a window, shared by the suites of a run.
 */

export type Scheme = 'light' | 'dark';

let browser: Promise<Browser> | undefined;

/** Chromium where it is; where it is missing the suite is skipped, or fails where it is required. */
export async function requireBrowser(suite: Mocha.Context): Promise<Browser> {
  const binary = findBinary(['chromium', 'chromium-browser', 'google-chrome-stable']);
  if (binary === undefined) {
    const reason = 'chromium: not on the PATH; `apt-get install chromium` brings it';
    if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(reason);
    skipSuite(suite, reason);
  }
  browser ??= launch(binary);
  return browser;
}

async function launch(executablePath: string): Promise<Browser> {
  // Loaded here and not for each suite of the package.
  const { chromium } = await import('playwright-core');
  const launched = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  closeAtEnd(() => launched.close());
  return launched;
}

export interface PageOptions {
  width?: number;
  height?: number;
  scheme?: Scheme;
}

/** A page, and what went wrong on it: errors in the console, and requests to elsewhere. */
export class WatchedPage {
  readonly page: Page;
  readonly problems: string[] = [];
  readonly #forgiven: RegExp[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.problems.push(`threw ${error.message}`));
    page.on('dialog', (dialog) => {
      this.problems.push(`opened a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.problems.push(message.text());
    });
  }

  static async open(
    opened: Browser,
    url: string,
    { width = 1280, height = 800, scheme = 'light' }: PageOptions = {},
  ): Promise<WatchedPage> {
    const context = await opened.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      timezoneId: 'UTC',
      locale: 'en-GB',
    });
    context.setDefaultTimeout(30_000);
    const watched = new WatchedPage(await context.newPage());
    const { protocol, host } = new URL(url);
    watched.page.on('request', (request) => {
      const to = new URL(request.url());
      const isOwn = to.protocol === 'data:' || (to.protocol === protocol && to.host === host);
      if (!isOwn) watched.problems.push(`asked ${request.url()}`);
    });
    await watched.page.goto(url);
    return watched;
  }

  /** Opens a page for `body`; what it throws is what one sees, and not what that left on the page. */
  static async use(
    opened: Browser,
    url: string,
    body: (watched: WatchedPage) => Promise<void>,
  ): Promise<void> {
    const watched = await WatchedPage.open(opened, url);
    try {
      await body(watched);
    } catch (error) {
      await watched.page.context().close();
      throw error;
    }
    await watched.close();
  }

  /** Goes to a part of the page, as somebody does who was sent its address. */
  async goTo(hash: string, selector: string): Promise<void> {
    const [address = ''] = this.page.url().split('#');
    await this.page.goto(`${address}#${hash}`);
    await this.page.waitForSelector(selector);
  }

  /** Leaves out what the browser logs of an answer that the test provokes. */
  forgive(pattern: RegExp): void {
    this.#forgiven.push(pattern);
  }

  texts(selector: string): Promise<string[]> {
    return this.page.locator(selector).allInnerTexts();
  }

  /** Waits until it is true of the page. Expressions in the page would need its policy's leave. */
  async until(what: string, condition: () => Promise<boolean>): Promise<void> {
    for (let left = 200; left > 0; left--) {
      if (await condition()) return;
      await this.page.waitForTimeout(50);
    }
    assert.fail(`waited in vain for ${what}`);
  }

  /** Drags over an element, from and to parts of its width and height. */
  async drag(
    selector: string,
    [fromX, fromY]: [number, number],
    [toX, toY]: [number, number],
  ): Promise<void> {
    const box = await this.page.locator(selector).first().boundingBox();
    assert.ok(box, `${selector} is not in sight`);
    const at = (x: number, y: number): [number, number] => [
      box.x + x * box.width,
      box.y + y * box.height,
    ];
    await this.page.mouse.move(...at(fromX, fromY));
    await this.page.mouse.down();
    await this.page.mouse.move(...at((fromX + toX) / 2, (fromY + toY) / 2));
    await this.page.mouse.move(...at(toX, toY));
    await this.page.mouse.up();
  }

  /** Closes it, and fails where something went wrong on it. */
  async close(): Promise<void> {
    await this.page.context().close();
    const isForgiven = (problem: string) => this.#forgiven.some((one) => one.test(problem));
    assert.deepEqual(
      this.problems.filter((problem) => !isForgiven(problem)),
      [],
    );
  }
}

/** Drops a file on the middle of the page, as a person does from a folder's window. */
export async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  // What runs in the page has the types of a browser, which are not those of this program.
  await page.evaluate(
    `((name, text) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name));
      const target = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
      for (const type of ['dragenter', 'dragover', 'drop']) {
        const event = { dataTransfer, bubbles: true, cancelable: true };
        target.dispatchEvent(new DragEvent(type, event));
      }
    })(${JSON.stringify(name)}, ${JSON.stringify(bytes.toString('base64'))})`,
  );
}
