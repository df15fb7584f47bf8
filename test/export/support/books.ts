import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

import type { DeliverySpanProcessor } from '../../../src/export/delivery.ts';
import { imbalance, type DeliveryStats } from '../../../src/export/stats.ts';

/*
 * The sums of a delivery, looked at from outside at as many instants as can be had: after each span
 * that ends, every millisecond, around each flush. A program writes them to a file, which outlives
 * also a program that is killed.
 */

/** What was seen of one delivery. */
export interface Book {
  /** Process, thread and delivery. */
  owner: string;
  /** How often somebody looked. */
  instants: number;
  /** What the sums missed by at worst. */
  worst: number;
  /** As last seen. */
  stats: DeliveryStats;
}

/** Beyond so many instants only one span in this many is an occasion to look. */
const EVERY_SPAN = 2000;
const SELDOM = 64;
let deliveries = 0;

/** Looks at the sums of `delivery` from now on; with a `path`, `write` appends them there. */
export function keepBook(
  delivery: DeliverySpanProcessor,
  path?: string,
): { book: Book; look: () => void; write: () => void } {
  const owner = `${process.pid}/${threadId}/${++deliveries}`;
  const book: Book = { owner, instants: 0, worst: 0, stats: delivery.stats() };
  const look = (): void => {
    book.stats = delivery.stats();
    book.instants++;
    book.worst = Math.max(book.worst, Math.abs(imbalance(book.stats)));
  };
  const write = (): void => {
    look();
    if (path) appendFileSync(path, `${JSON.stringify(book)}\n`);
  };
  let ended = 0;
  let atEnd = false;
  const onEnd = delivery.onEnd.bind(delivery);
  const flushAtExit = delivery.flushAtExit.bind(delivery);
  const shutdown = delivery.shutdown.bind(delivery);
  delivery.onEnd = (span) => {
    onEnd(span);
    if (atEnd) write();
    else if (++ended < EVERY_SPAN || ended % SELDOM === 0) look();
  };
  delivery.flushAtExit = () => {
    look();
    const done = flushAtExit();
    atEnd = true;
    write();
    return done;
  };
  delivery.shutdown = () => {
    look();
    return shutdown().then(write);
  };
  setInterval(look, 1).unref();
  return { book, look, write };
}

/** The last page of each book in the file. */
export function readBooks(path: string): Book[] {
  const last = new Map<string, Book>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    const book = JSON.parse(line) as Book;
    last.set(book.owner, book);
  }
  return [...last.values()];
}

/** One sum over all books. */
export function sumOf(
  books: readonly Book[],
  field: 'ended' | 'adopted' | 'accepted' | 'rejected' | 'queued' | 'spooled' | 'dropped',
): number {
  return books.reduce((sum, { stats }) => sum + stats[field], 0);
}

/** What is wrong with the sums of `ended` spans, at any instant somebody looked at them. */
export function faultsOf(books: readonly Book[], ended: number): string[] {
  const faults: string[] = [];
  const sum = sumOf(books, 'ended');
  if (sum !== ended) faults.push(`${sum} spans counted as ended, not ${ended}`);
  for (const { owner, instants, worst, stats } of books) {
    const miss = Math.max(worst, Math.abs(imbalance(stats)));
    if (miss !== 0) faults.push(`the sums of ${owner} missed by ${miss}`);
    if (instants < Math.min(stats.ended, EVERY_SPAN)) faults.push(`looked ${instants} times only`);
  }
  return faults;
}

/** The sums held at every instant, and `ended` spans are in them. */
export function assertBalanced(books: readonly Book[], ended: number): void {
  assert.deepEqual(faultsOf(books, ended), []);
}
