/** A command: a line for the list of commands, and its code, loaded only when it is called. */
export interface Command {
  summary: string;
  /** The command takes its arguments and resolves to the exit code. */
  load(): Promise<(args: string[]) => Promise<number>>;
}

/** The commands by name, in the order in which they are listed. */
export const commands: Record<string, Command> = {
  demo: {
    summary: 'Trace a small shop with PostgreSQL, and show its traces',
    load: async () => (await import('./demo/command.ts')).demo,
  },
  run: {
    summary: 'Run an application, and print where the time of each request went',
    load: async () => (await import('./run.ts')).run,
  },
  doctor: {
    summary: 'Run an application, and report the lines that lose the context',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  fix: {
    summary: 'Repair a finding of the doctor with a rule, and prove it',
    load: async () => (await import('./fix.ts')).fix,
  },
  view: {
    summary: 'Show traces on a local page, from files or live',
    load: async () => (await import('./view/command.ts')).view,
  },
  show: {
    summary: 'Show requests and traces in the terminal',
    load: async () => (await import('./view/show.ts')).show,
  },
  export: {
    summary: "Write traces for Jaeger's upload, collectors, Perfetto, or as a page",
    load: async () => (await import('./view/export.ts')).exportTraces,
  },
  mcp: {
    summary: 'Answer questions of coding agents about traces',
    load: async () => (await import('./mcp/command.ts')).mcp,
  },
  record: {
    summary: 'Record every async resource of a process into one file',
    load: async () => (await import('./record.ts')).record,
  },
};
