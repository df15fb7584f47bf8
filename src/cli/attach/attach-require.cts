import type { AttachSettings } from './line.ts';

/*
 * Imports the doctor into a process whose inspector called us. Code that an inspector evaluates can
 * require, and not import; the import here passes the loaders of the process as any other does.
 * What it promises is never rejected: the command may be gone, and the process is not ours to end.
 */
module.exports = {
  async attach(settings: AttachSettings): Promise<{ error?: string }> {
    try {
      const doctor = await import('./doctor-attached.js');
      await doctor.attach(settings);
      return {};
    } catch (error) {
      return { error: error instanceof Error ? error.message : 'it threw' };
    }
  },
};
