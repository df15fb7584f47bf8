/** How sure a finding is: `proven` by an anchor or an ended parent, `likely`, `possible`. */
export type Certainty = 'proven' | 'likely' | 'possible';

/** What each finding is called, for ever, and the line that explains it in a list. */
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

/** The name of a finding, which stays; each has a section in docs/findings.md. */
export type FindingName = keyof typeof FINDINGS;

/** What happened: a context was lost, another one was active, or spans never arrive. */
export type FindingKind = 'lost' | 'mixed' | 'stale' | 'batched' | 'inactive' | 'setup';

/** A place in a file, with the text of its line where it can be read. */
export interface Place {
  file: string;
  line: number;
  column: number;
  function?: string;
  code?: string;
}

/** A repair rule as it stands in `clew.rules.json`. */
export interface ProposedRule {
  module: string;
  path: string;
  rule: string | { kind: string; [option: string]: unknown };
}

/** A context that was found active where it ought not to be, and its way there. */
export interface FoundContext {
  /** The request it is of; absent: of none. */
  of?: string;
  /** It is another request than the owner, of the same label. */
  ofAnother?: boolean;
  how: 'activated' | 'started';
  /** Where it was activated, or its span started. */
  place: Place;
  by: 'application' | 'package' | 'tool';
  package?: string;
  /** Milliseconds from there to the loss. */
  millisBefore: number;
}

/** One cause, with what it did and what repairs it. Plain data: it is what `--json` prints. */
export interface Finding {
  /** The number that `clew fix` takes; 1 is the most damage. */
  number: number;
  name: FindingName;
  kind: FindingKind;
  certainty: Certainty;
  /** Nothing is broken by it; it does not count for the exit status. */
  note: boolean;
  /** How often it was seen. */
  count: number;
  /** Spans that have the wrong parent, or none, because of it. */
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
    /** It was another request than the owner, of the same label. */
    bornInAnother?: boolean;
    /** It was there before the doctor came, which saw nothing of its creation. */
    older?: boolean;
    repeating: boolean;
  };
  /** The context that was active, where it is another one than the owner's. */
  context?: FoundContext;
  handOver?: Place & { by: 'package' | 'application' | 'node'; package?: string };
  owner?: {
    label: string;
    count: number;
    evidence: string;
    /** Other requests that it belongs to, with how often; absent: none. */
    others?: Record<string, number>;
  };
  fix: {
    /** Rules to try, the best one first. */
    rules: ProposedRule[];
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
    /** The command that runs the application again, and tells whether the change removed the finding. */
    check?: string;
  };
  /** The section of the documentation. */
  docs: string;
}

/** What a run found: the whole of what `--json` prints. */
export interface Report {
  $schema: string;
  version: 1;
  /** Requests that began while it watched. */
  requests: number;
  /** Spans that ended while it watched. */
  spans: number;
  /** How long it watched, in milliseconds. */
  millis: number;
  findings: Finding[];
  /** Observations beyond the bounds, in number or in time, which are counted and not looked at. */
  dropped: number;
}

/** Whether a finding fails a pipeline. */
export function counts(finding: Finding, strict: boolean): boolean {
  return !finding.note && (strict || finding.certainty !== 'possible');
}
