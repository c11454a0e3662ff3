/** Returns the start time of this process in epoch milliseconds. */
export function processStart(): number {
  return Date.now() - process.uptime() * 1_000;
}

/** Returns the resident memory of this process, and its CPU time since its start. */
export function processUsage() {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1_000_000 };
}
