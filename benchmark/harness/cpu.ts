/**
 * Nanoseconds of CPU since `before`. Not wall time: on a machine that does other things as well, the
 * time in which a process waits for its turn is nobody's cost.
 */
export function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}
