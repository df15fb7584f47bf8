/** How sure a finding is: `proven` by an anchor or an ended parent, `likely`, `possible`. */
export type Certainty = 'proven' | 'likely' | 'possible';

/** The names of all findings, which are stable, and the line that explains each in a list. */
export const FINDINGS = {
  'CLEW-LOST-QUEUE': 'a package or file kept a callback and called it where no request was active',
  'CLEW-LOST-EMITTER': 'a listener ran where no request was active',
  'CLEW-LOST-CALLBACK': 'work of a request ran where no request was active',
  'CLEW-MIXED-QUEUE': 'a package or file kept a callback and called it in another request',
  'CLEW-MIXED-EMITTER': 'a listener of one request ran in another request',
  'CLEW-MIXED-CALLBACK': 'work of one request ran in another request',
  'CLEW-STALE-TIMER': 'a timer started in a request works on after it, as its child',
  'CLEW-STALE-CONNECTION': 'a connection opened in a request serves others as its child',
  'CLEW-BATCHED': 'one piece of work served several requests, and is the child of one at most',
  'CLEW-SPAN-NOT-ACTIVE': 'a span was started and never made active',
  'CLEW-SETUP-LOADED-EARLY': 'a module was loaded before its instrumentation',
  'CLEW-SETUP-API-COPIES': 'a second copy of the OpenTelemetry API makes spans that go nowhere',
  'CLEW-SETUP-SECOND-PROVIDER': 'a second registration was refused without a word',
  'CLEW-SETUP-ESM-HOOK': 'imports of an ES module application are not instrumented',
  'CLEW-SETUP-EXPORT-FAILS': 'the collector rejects what the exporter sends',
  'CLEW-SETUP-NO-COLLECTOR': 'nothing answers where the exporter sends',
  'CLEW-SETUP-BUNDLED': 'libraries inside a bundle are not instrumented',
  'CLEW-SETUP-VERSION': 'a version does not fit',
} as const;

/** The name of a finding. Names are stable; each has a section in docs/findings.md. */
export type FindingName = keyof typeof FINDINGS;

/** What happened: a context was lost, a wrong one was active, or spans never arrive. */
export type FindingKind = 'lost' | 'mixed' | 'stale' | 'batched' | 'inactive' | 'setup';

/** A place in a file, with the text of its line if it can be read. */
export interface Place {
  file: string;
  line: number;
  column: number;
  function?: string;
  code?: string;
}

/** A repair rule, as written in `clew.rules.json`. */
export interface ProposedRule {
  module: string;
  path: string;
  rule: string | { kind: string; [option: string]: unknown };
}

/** A wrong context that was found active, and how it came to be active. */
export interface FoundContext {
  /** The request it belongs to; absent if none. */
  of?: string;
  /** True if it is a different request with the same label as the owner. */
  ofAnother?: boolean;
  how: 'activated' | 'started';
  /** Where it was activated, or where its span was started. */
  place: Place;
  by: 'application' | 'package' | 'tool';
  package?: string;
  /** Milliseconds from there to the loss. */
  millisBefore: number;
}

/** One cause, its effects, and how to repair it. Plain data, as printed by `--json`. */
export interface Finding {
  /** The number to pass to `clew fix`; number 1 does the most damage. */
  number: number;
  name: FindingName;
  kind: FindingKind;
  certainty: Certainty;
  /** True if nothing is broken. A note does not affect the exit status. */
  note: boolean;
  /** How often it occurred. */
  count: number;
  /** The number of spans with a wrong parent, or none, because of it. */
  brokenSpans: number;
  summary: string;
  yourLine?: Place;
  /** Further lines with the same cause, which the same change repairs. */
  also?: Place[];
  resource?: {
    type: string;
    asyncId: number;
    born?: Place;
    /** The request that created it; absent where no request did. */
    bornIn?: string;
    /** True if that was a different request with the same label as the owner. */
    bornInAnother?: boolean;
    /** True if it was created before the doctor started. */
    older?: boolean;
    repeating: boolean;
  };
  /** The active context, if it is not the owner's. */
  context?: FoundContext;
  handOver?: Place & { by: 'package' | 'application' | 'node'; package?: string };
  owner?: {
    label: string;
    count: number;
    evidence: string;
    /** Other requests it belongs to, with the number of times; absent if there are none. */
    others?: Record<string, number>;
  };
  fix: {
    /** Rules to try, the best one first. */
    rules: ProposedRule[];
    /** A change of how the application is started, which repairs it without a rule. */
    setup?: string;
    /** A change of the application. */
    change?: {
      file?: string;
      line?: number;
      text: string;
      /** The functions to bind at that line. */
      names?: string[];
    };
    /** The command that writes the first rule and proves it. */
    command?: string;
    /**
     * The command that runs the application again and reports whether the change removed the
     * finding.
     */
    check?: string;
  };
  /** The section of the documentation about it. */
  docs: string;
}

/** How many names of requests a report has; requests without a route have as many as paths. */
export const MAX_ROUTES = 500;

/** The result of a run, as printed by `--json`. */
export interface Report {
  $schema: string;
  version: 1;
  /** Requests that began during the run. */
  requests: number;
  /**
   * The number of requests by name, at most 500 names. A request with a route counts under its
   * route and under its path.
   */
  routes: Record<string, number>;
  /** Spans that ended during the run. */
  spans: number;
  /** The duration of the run, in milliseconds. */
  millis: number;
  findings: Finding[];
  /** The file of rules that the doctor applied to the application; absent if there was none. */
  rules?: string;
  /** Observations beyond the limits, in number or time, which were counted but not analysed. */
  dropped: number;
}

/** Whether a finding fails a pipeline. */
export function counts(finding: Finding, strict: boolean): boolean {
  return !finding.note && (strict || finding.certainty !== 'possible');
}
