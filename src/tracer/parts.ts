/** Where time went, in milliseconds. */
export interface Parts {
  runningMs: number;
  ioMs: number;
  loopMs: number;
}
