import type {
  FileAdded,
  FindingView,
  LiveEvents,
  PendingView,
  RequestList,
  RequestQuery,
  Summary,
} from '../../viewer/model.ts';
import type { TraceView } from '../../viewer/trace-model.ts';

/** Where the page has its data from: the server that served it, or the file that it is. */
export interface Source {
  summary(): Promise<Summary>;
  requests(query: Query): Promise<RequestList>;
  trace(traceId: string): Promise<TraceView>;
  /** Of a part of the time, in milliseconds since 1970, or of all. */
  pending(part: readonly [from: number, to: number] | undefined): Promise<PendingView>;
  findings(): Promise<FindingView[]>;
  /** Calls back with what arrives while the application runs; `undefined`: nothing ever will. */
  listen?: (listener: LiveListener) => void;
  /** Hands a dropped file to what can read it. */
  addFile?: (file: File) => Promise<FileAdded>;
  /** Where the one self-contained file of all this is. */
  html?: string;
}

export interface Query extends Omit<RequestQuery, 'attribute'> {
  attributes: string[];
}

export interface LiveListener {
  event<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void;
  connected(is: boolean): void;
}
