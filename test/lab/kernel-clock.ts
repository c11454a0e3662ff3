import type { MemoryHost } from './memory-host.ts';

/** The boot of a MemoryHost as its kernel shows it. */
export interface KernelClock {
  /** Begins a new boot: another id, an uptime of zero, and an empty /run. */
  reboot(): void;
}

/** Shows the boot id and the uptime in /proc, and returns the clock. The machine has been up for `uptime` seconds. */
export function kernelClock(host: MemoryHost, uptime = 1_000): KernelClock {
  let boots = 1;
  let bootedAt = host.monotonic() - uptime * 1_000;
  host.files.compute('/proc/sys/kernel/random/boot_id', () => {
    return `${String(boots).padStart(8, '0')}-1111-4222-8333-444444444444\n`;
  });
  host.files.compute('/proc/uptime', () => `${((host.monotonic() - bootedAt) / 1_000).toFixed(2)} 0.00\n`);
  return {
    reboot() {
      boots += 1;
      bootedAt = host.monotonic();
      host.files.remove('/run');
      host.files.makeDirectory('/run');
    },
  };
}
