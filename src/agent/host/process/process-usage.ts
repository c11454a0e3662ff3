/** When this process started; epoch milliseconds. */
export function processStart(): number {
  return Date.now() - process.uptime() * 1_000;
}

/** What this process uses: resident memory, and CPU time since its start. */
export function processUsage() {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1_000_000 };
}
