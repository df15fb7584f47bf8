/* What the command of the doctor and the detector in the application have to do with each other. */

/** What is watched: an application that is run for it, or a process that runs already. */
export interface Subject {
  /** Asks for a report in the file. */
  ask(): void;
  /** Ends an application; a process that ran before is left as it was. */
  end(signal: NodeJS.Signals): void;
  /** Is called where it does not end in time, and has been asked for a report. */
  giveUp(): void;
  /** A terminal sends signals to it, too. */
  readonly hasTerminal: boolean;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** What the detector in the application is told. */
export interface DoctorSettings {
  report: string;
  serving: string;
  /** The process of the command. */
  command: number;
  deep: boolean;
  everySeconds?: number | undefined;
}
