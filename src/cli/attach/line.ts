import type { DoctorSettings } from '../doctor-subject.ts';

/*
 * The line between the command and a process that it watches: a socket of the command's. It is the
 * process that writes reports, to a file, as any application under the doctor does.
 */

/** What `doctor-attached.ts` is told. */
export interface AttachSettings extends DoctorSettings {
  /** The path of a socket, or a named pipe: when it is closed, the doctor leaves the process. */
  line: string;
}

/** What the command sends, a character each. */
export const ASK = 'r';
export const LEAVE = 'l';
